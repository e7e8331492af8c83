//! Where an alias sends its traffic.

use crate::model::function_arn::Qualifier;

/// An alias, as GetAlias shows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Alias {
    /// The version that it points at, which may be `$LATEST`.
    pub version: Qualifier,
    /// What an invocation of it runs.
    pub traffic: Traffic,
}

/// What an invocation of an alias runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Traffic {
    /// Always this version. It is not the alias's own one if an additional version has the weight 1.0.
    All(Qualifier),
    /// One of two versions, at random.
    Split,
}

impl Alias {
    /// An alias that points at `version` and gives additional versions these weights, from 0 to 1.
    pub fn new(version: Qualifier, weights: impl IntoIterator<Item = (Qualifier, f64)>) -> Self {
        let mut traffic = Traffic::All(version.clone());
        for (additional, weight) in weights {
            if weight >= 1.0 {
                traffic = Traffic::All(additional);
            } else if weight > 0.0 {
                traffic = Traffic::Split;
            }
        }
        Self { version, traffic }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_weight_between_nothing_and_everything_splits_the_traffic() {
        let version = |number: &str| number.parse::<Qualifier>().unwrap();
        let traffic = |weight| Alias::new(version("6"), [(version("7"), weight)]).traffic;
        assert_eq!(traffic(0.0), Traffic::All(version("6")));
        assert_eq!(traffic(0.01), Traffic::Split);
        assert_eq!(traffic(0.99), Traffic::Split);
        assert_eq!(traffic(1.0), Traffic::All(version("7")));
        let plain = Alias::new(version("$LATEST"), []);
        assert_eq!(plain.version, Qualifier::Latest);
        assert_eq!(plain.traffic, Traffic::All(Qualifier::Latest));
    }
}
