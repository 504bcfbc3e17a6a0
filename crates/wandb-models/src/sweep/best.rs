//! The best run of a sweep.

use futures_util::TryStreamExt;
use wandb_core::{Error, Result, Value, filter::FieldPath, order::Order};

use super::Sweep;
use crate::Run;

/// The answer to "which run is the best", and what that means here.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BestRun {
    /// The run; `None` when the sweep has no runs.
    pub run: Option<Run>,
    /// By what it is the best.
    pub basis: BestRunBasis,
}

/// By what a run is the best.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BestRunBasis {
    /// It comes first in this order.
    Order(Order),
    /// The sweep has no metric, so it is merely the newest. The official client says so too, and then gives the oldest
    /// (inventory §9.2).
    NewestWithoutMetric,
}

impl BestRun {
    /// The value that made it the best, when the order is by a summary metric. `None` also when the run did not log it:
    /// runs without the metric come last, so then no run of the sweep has it.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        let BestRunBasis::Order(order) = &self.basis else {
            return None;
        };
        match order.keys().first()?.field() {
            FieldPath::Summary(key) => self.run.as_ref()?.summary().ok()?.get_path(key.as_str()),
            _ => None,
        }
    }

    /// One sentence for the user when the answer is not what was asked for: there is no metric, or no run has it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match &self.basis {
            BestRunBasis::NewestWithoutMetric => Some(
                "the sweep has no metric, so this is its newest run; give an order to choose by another value",
            ),
            BestRunBasis::Order(order)
                if self.run.is_some()
                    && matches!(
                        order.keys().first().map(|key| key.field()),
                        Some(FieldPath::Summary(_))
                    )
                    && self.value().is_none() =>
            {
                Some("no run of the sweep has logged the metric, so this is only the first one")
            }
            BestRunBasis::Order(_) => None,
        }
    }
}

impl Sweep {
    /// The order in which the best run comes first, from the metric in the config; `None` without a metric.
    ///
    /// # Errors
    /// When the config cannot be read, or the metric's name cannot stand in an order.
    pub fn order(&self) -> Result<Option<Order>> {
        self.config
            .metric()
            .and_then(|metric| metric.map(|metric| metric.order()).transpose())
            .map_err(|error| self.named(error))
    }

    /// The best run by the sweep's own metric. Without a metric it is the newest one, and [`BestRun::basis`] says so.
    ///
    /// # Errors
    /// As [`order`](Self::order), or as any listing of runs.
    pub async fn best_run(&self) -> Result<BestRun> {
        match self.order()? {
            Some(order) => self.best_run_by(order).await,
            None => Ok(BestRun {
                run: self.first(Order::newest_first()).await?,
                basis: BestRunBasis::NewestWithoutMetric,
            }),
        }
    }

    /// The first run in an order of the caller's.
    ///
    /// # Errors
    /// As any listing of runs.
    pub async fn best_run_by(&self, order: Order) -> Result<BestRun> {
        Ok(BestRun {
            run: self.first(order.clone()).await?,
            basis: BestRunBasis::Order(order),
        })
    }

    async fn first(&self, order: Order) -> Result<Option<Run>> {
        self.runs().order(order).limit(1).stream().try_next().await
    }

    fn named(&self, error: Error) -> Error {
        error.in_operation(format!("find the order of sweep \"{}\"", self.sweep_path()))
    }
}
