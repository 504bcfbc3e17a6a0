//! Object stores: there is one method, and it is not there without a feature.

use wandb_artifacts::stores::ObjectStores;

use super::ApiBuilder;

impl ApiBuilder {
    /// As [`object_stores`](wandb_models::ApiBuilder::object_stores). Their transport is used on the threads of the blocking
    /// client.
    pub fn object_stores(self, stores: ObjectStores) -> Self {
        Self {
            inner: self.inner.object_stores(stores),
            runtime: self.runtime,
        }
    }
}

#[cfg(test)]
pub(crate) const MIRRORED: &[(&str, &[&str])] = &[("ApiBuilder", &["object_stores"])];
