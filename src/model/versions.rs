//! A function's published versions.

use std::collections::BTreeSet;

use crate::model::function_arn::Version;

/// The published versions of a function: ListVersionsByFunction without `$LATEST`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Versions {
    numbers: BTreeSet<Version>,
    /// `CodeSha256` of the newest.
    newest_code: String,
}

impl Versions {
    /// Adds a version with its `CodeSha256`.
    pub fn add(&mut self, version: Version, code_sha256: &str) {
        if self.numbers.insert(version) && self.newest() == Some(version) {
            code_sha256.clone_into(&mut self.newest_code);
        }
    }

    /// The highest version; `None` if there is only `$LATEST`.
    pub fn newest(&self) -> Option<Version> {
        self.numbers.last().copied()
    }

    /// Whether this version exists.
    pub fn contains(&self, version: Version) -> bool {
        self.numbers.contains(&version)
    }

    /// The newest version, if it has this code.
    pub fn newest_with_code(&self, code_sha256: &str) -> Option<Version> {
        self.newest()
            .filter(|_| !code_sha256.is_empty() && self.newest_code == code_sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_the_highest_whatever_the_order() {
        let version = |number| Version::new(number).unwrap();
        for order in [[9, 10, 2], [10, 9, 2], [2, 10, 9]] {
            let mut versions = Versions::default();
            for number in order {
                versions.add(version(number), &format!("code {number}"));
            }
            assert_eq!(versions.newest(), Some(version(10)));
            assert!(versions.contains(version(2)) && !versions.contains(version(3)));
            assert_eq!(versions.newest_with_code("code 10"), Some(version(10)));
            assert_eq!(versions.newest_with_code("code 9"), None);
            assert_eq!(versions.newest_with_code(""), None);
        }
        assert_eq!(Versions::default().newest(), None);
    }
}
