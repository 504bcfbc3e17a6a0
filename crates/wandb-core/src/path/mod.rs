//! Paths of projects, runs, sweeps and reports.
