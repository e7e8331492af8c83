//! Copy-on-write values: states share the parts that they have in common, and hash them once.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;

/// A value that is copied when it is changed, and whose digest is cached.
#[derive(Clone)]
pub struct Shared<T> {
    value: Rc<T>,
    digest: Cell<Option<u64>>,
}

impl<T: Clone + Hash> Shared<T> {
    pub fn new(value: T) -> Self {
        Self {
            value: Rc::new(value),
            digest: Cell::new(None),
        }
    }

    /// The value, to change it.
    pub fn change(&mut self) -> &mut T {
        self.digest.set(None);
        Rc::make_mut(&mut self.value)
    }

    pub fn digest(&self) -> u64 {
        let known = self.digest.get().unwrap_or_else(|| digest(&*self.value));
        self.digest.set(Some(known));
        known
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The digest of a value.
pub fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A digest of many values, whatever their order.
pub fn sum(digests: impl Iterator<Item = u64>) -> u64 {
    digests.fold(0, u64::wrapping_add)
}
