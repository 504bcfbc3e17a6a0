//! The content of a report: a tree of JSON in one of two forms, looked at and never owned.
//!
//! Old reports hold `panelGroups`, new ones `blocks` with panel grids among the text (inventory 1.9). Whatever else a newer
//! app writes stays in the raw form; only what is understood has a type here.

use serde_json::Value as Json;
use wandb_core::{
    Error, ErrorKind, Result,
    filter::{self, Filter},
    order::Order,
    query_generator::{IgnoredFilter, QueryGenerator, SortKey, SortKeys},
    timestamp::Timestamp,
};

/// The content of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportSpec {
    raw: Json,
}

/// Which form the content has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportForm {
    /// `panelGroups`, as reports of 2020 have it.
    PanelGroups,
    /// `blocks`: text with panel grids.
    Blocks,
    /// Neither: of another version than this client knows. The raw content is there all the same.
    Unknown,
}

impl ReportSpec {
    pub(super) fn parse(text: &str) -> Result<Self> {
        match serde_json::from_str(text) {
            Ok(raw @ Json::Object(_)) => Ok(Self { raw }),
            Ok(_) => Err(Error::protocol("the content of the report is not a JSON object")),
            Err(error) => Err(Error::protocol("the content of the report cannot be read").with_source(error)),
        }
    }

    /// The content as it is.
    #[must_use]
    pub fn raw(&self) -> &Json {
        &self.raw
    }

    /// The version that it says it has.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        self.raw.get("version")?.as_i64()
    }

    /// Which form it has.
    #[must_use]
    pub fn form(&self) -> ReportForm {
        if self.raw.get("blocks").is_some_and(Json::is_array) {
            ReportForm::Blocks
        } else if self.raw.get("panelGroups").is_some_and(Json::is_array) {
            ReportForm::PanelGroups
        } else {
            ReportForm::Unknown
        }
    }

    /// The sections: the panel groups of an old report, the panel grids of a new one, in the order of the page. A new
    /// report that is only text has none.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) when the content has neither form.
    pub fn sections(&self) -> Result<Vec<ReportSection>> {
        match self.form() {
            ReportForm::PanelGroups => Ok(self.raw["panelGroups"]
                .as_array()
                .into_iter()
                .flatten()
                .map(ReportSection::new)
                .collect()),
            ReportForm::Blocks => {
                let mut sections = Vec::new();
                find_grids(&self.raw["blocks"], &mut sections);
                Ok(sections)
            }
            ReportForm::Unknown => Err(Error::new(
                ErrorKind::Unsupported,
                "the content of the report has neither panel groups nor blocks",
            )
            .with_hint("the content itself is there: ReportSpec::raw")),
        }
    }
}

/// Collects the parts with run sets. The depth is bounded: the JSON reader takes 128 levels at most.
fn find_grids(blocks: &Json, sections: &mut Vec<ReportSection>) {
    for block in blocks.as_array().into_iter().flatten() {
        if let Some(metadata) = block.get("metadata")
            && metadata.get("runSets").is_some_and(Json::is_array)
        {
            sections.push(ReportSection::new(metadata));
        }
        // A heading that is folded keeps what is below it apart.
        for name in ["children", "collapsedChildren"] {
            if let Some(children) = block.get(name) {
                find_grids(children, sections);
            }
        }
    }
}

/// One section of a report: panels, and the sets of runs that they show.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReportSection {
    /// The sets of runs.
    pub run_sets: Vec<RunSet>,
    raw: Json,
}

impl ReportSection {
    fn new(raw: &Json) -> Self {
        let run_sets = raw.get("runSets").and_then(Json::as_array);
        Self {
            run_sets: run_sets
                .into_iter()
                .flatten()
                .map(|raw| RunSet { raw: raw.clone() })
                .collect(),
            raw: raw.clone(),
        }
    }

    /// The section as it is.
    #[must_use]
    pub fn raw(&self) -> &Json {
        &self.raw
    }

    /// Its name, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.raw.get("name")?.as_str()
    }

    /// Which of the [run sets](Self::run_sets) is open, counted from 0: what the app shows first, and the official
    /// client's choice (`openRunSet`). The first one where the section does not say.
    #[must_use]
    pub fn open_run_set(&self) -> usize {
        let open = self.raw.get("openRunSet").and_then(Json::as_u64);
        open.and_then(|place| usize::try_from(place).ok()).unwrap_or(0)
    }
}

/// A set of runs: a filter, an order, and a choice among what they give.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSet {
    raw: Json,
}

/// What a run set asks for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunSetQuery {
    /// The filter, with the choice of runs if that was wanted.
    pub filter: Filter,
    /// The order; `None` when the run set has none.
    pub order: Option<Order>,
    /// Parts of the filter that are switched off or not filled in, and so are not applied, by the app neither.
    pub ignored: Vec<IgnoredFilter>,
    /// The project, when the run set names another than the report's, as `entity` and `project`.
    pub project: Option<(String, String)>,
}

impl RunSet {
    /// The run set as it is.
    #[must_use]
    pub fn raw(&self) -> &Json {
        &self.raw
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.raw.get("name")?.as_str()
    }

    /// Whether the app shows it.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.raw.get("enabled").and_then(Json::as_bool).unwrap_or(true)
    }

    /// The text in its search field. It is not part of the [query](Self::query), in the official client neither.
    #[must_use]
    pub fn search(&self) -> Option<&str> {
        self.raw
            .pointer("/search/query")?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// What it asks for. `now` is the time that "within the last …" counts back from.
    ///
    /// With `only_selected` the runs that are switched off in the table are left out. With `selections.root` 0 the tree
    /// lists the runs that are on, with 1 those that are off; a run set without selections shows all. The official client
    /// takes the tree for the former always, and fails where the filter has another form than it expects.
    ///
    /// # Errors
    /// When filter, order or choice are none that runs have.
    pub fn query(&self, only_selected: bool, now: Timestamp) -> Result<RunSetQuery> {
        let reading = match self.raw.get("filters") {
            None => Filter::from_report_at(&Json::Null, now)?,
            Some(filters) => Filter::from_report_at(filters, now)?,
        };
        let mut filter = reading.filter;
        if only_selected && let Some(selected) = self.selected()? {
            filter = filter & selected;
        }
        Ok(RunSetQuery {
            filter,
            order: self.order()?,
            ignored: reading.ignored,
            project: self.project(),
        })
    }

    fn order(&self) -> Result<Option<Order>> {
        let Some(sort) = self.raw.get("sort").filter(|sort| !sort.is_null()) else {
            return Ok(None);
        };
        // Old reports sort by one key, which is the only form that the official client reads; new ones by several.
        let keys = if sort.get("keys").is_none() && sort.get("key").is_some() {
            serde_json::from_value(sort.clone()).map(|key: SortKey| SortKeys { keys: vec![key] })
        } else {
            serde_json::from_value(sort.clone())
        };
        let keys = keys
            .map_err(|error| Error::protocol("the order of the run set cannot be read").with_source(error))?;
        if keys.keys.is_empty() {
            return Ok(None);
        }
        Ok(Some(Order::parse(
            &QueryGenerator::keys_to_order(&keys).join(","),
        )?))
    }

    fn selected(&self) -> Result<Option<Filter>> {
        let Some(selections) = self.raw.get("selections").filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let broken = || Error::protocol("the selections of the run set cannot be read");
        let tree = match selections.get("tree") {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(broken))
                .collect::<Result<_>>()?,
            Some(_) => return Err(broken()),
        };
        let all_but = selections.get("root").and_then(Json::as_i64) == Some(1);
        Ok(match (all_but, tree.is_empty()) {
            (true, true) => None,
            (true, false) => Some(filter::id().not_in(tree)),
            (false, _) => Some(filter::id().is_in(tree)),
        })
    }

    fn project(&self) -> Option<(String, String)> {
        let project = self.raw.get("project")?;
        let text = |name: &str| Some(project.get(name)?.as_str()?.to_owned());
        Some((text("entityName")?, text("name")?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2024-05-01T12:00:00Z").unwrap()
    }

    fn run_set(raw: Json) -> RunSet {
        RunSet { raw }
    }

    fn filters() -> Json {
        json!({"op": "OR", "filters": [{"op": "AND", "filters": [
            {"key": {"section": "config", "name": "lr"}, "op": ">", "value": 0.1},
            {"key": {"section": "run", "name": "state"}, "op": "=", "value": "finished", "disabled": true}]}]})
    }

    #[test]
    fn both_forms_have_sections() {
        let grid = json!({"type": "panel-grid", "children": [{"text": ""}], "metadata": {"runSets": [{"name": "mine"}]}});
        let blocks = json!({"version": 5, "blocks": [{"type": "paragraph", "children": [{"text": "hello"}]}, grid,
            {"type": "callout", "children": [grid]}, {"type": "heading", "collapsedChildren": [grid]}]});
        let spec = ReportSpec::parse(&blocks.to_string()).unwrap();
        assert_eq!((spec.form(), spec.version()), (ReportForm::Blocks, Some(5)));
        let sections = spec.sections().unwrap();
        assert_eq!(sections.len(), 3);
        assert_eq!(sections[0].run_sets[0].name(), Some("mine"));
        let groups = json!({"panelGroups": [{"name": "Section 1", "openRunSet": 1, "runSets": [{}, {"enabled": false}]}, {}]});
        let spec = ReportSpec::parse(&groups.to_string()).unwrap();
        let sections = spec.sections().unwrap();
        assert_eq!((sections.len(), sections[0].name()), (2, Some("Section 1")));
        assert!(sections[0].run_sets[0].is_enabled() && !sections[0].run_sets[1].is_enabled());
        assert!(sections[1].run_sets.is_empty());
        assert_eq!((sections[0].open_run_set(), sections[1].open_run_set()), (1, 0));
    }

    #[test]
    fn another_version_survives_raw() {
        let spec = ReportSpec::parse(r#"{"version": 99, "canvas": [1]}"#).unwrap();
        assert_eq!(spec.form(), ReportForm::Unknown);
        assert_eq!(spec.sections().unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(spec.raw()["canvas"], json!([1]));
        for text in ["", "[]", "null", "{", &"[".repeat(100_000)] {
            assert_eq!(ReportSpec::parse(text).unwrap_err().kind(), ErrorKind::Protocol);
        }
    }

    #[test]
    fn a_run_set_is_a_query() {
        let set = run_set(json!({
            "filters": filters(),
            "sort": {"keys": [{"key": {"section": "summary", "name": "loss"}, "ascending": true}]},
            "selections": {"root": 0, "bounds": [], "tree": ["r1", "r2"]},
            "project": {"entityName": "other", "name": "q"},
            "search": {"query": "x"},
        }));
        let query = set.query(false, now()).unwrap();
        assert_eq!(query.filter.to_string(), "config.lr > 0.1");
        assert_eq!(query.order.unwrap().to_string(), "+summary_metrics.loss");
        assert_eq!(query.ignored.len(), 1);
        assert_eq!(query.project, Some(("other".to_owned(), "q".to_owned())));
        assert_eq!(set.search(), Some("x"));
        let text = set.query(true, now()).unwrap().filter.to_mongo_text();
        assert!(text.contains(r#"{"name":{"$in":["r1","r2"]}}"#), "{text}");
    }

    #[test]
    fn old_reports_sort_by_one_key() {
        let order = |sort: Json| {
            run_set(json!({ "sort": sort }))
                .query(false, now())
                .map(|query| query.order)
        };
        let key = json!({"section": "summary", "name": "val/loss"});
        let text = |sort: Json| order(sort).unwrap().unwrap().to_string();
        assert_eq!(
            text(json!({"key": key, "ascending": true})),
            "+summary_metrics.val/loss"
        );
        assert_eq!(text(json!({"key": key})), "-summary_metrics.val/loss");
        assert!(order(json!({"keys": []})).unwrap().is_none());
        assert_eq!(
            order(json!({"key": "loss"})).unwrap_err().kind(),
            ErrorKind::Protocol
        );
    }

    #[test]
    fn a_choice_is_of_runs_that_are_on_or_of_those_that_are_off() {
        let filter = |selections: Json| {
            run_set(json!({"selections": selections}))
                .query(true, now())
                .map(|query| query.filter.to_mongo_text())
        };
        assert_eq!(filter(json!(null)).unwrap(), "{}");
        assert_eq!(filter(json!({"root": 1, "tree": []})).unwrap(), "{}");
        assert!(
            filter(json!({"root": 1, "tree": ["r"]}))
                .unwrap()
                .contains("$nin")
        );
        assert!(filter(json!({"root": 0, "tree": ["r"]})).unwrap().contains("$in"));
        // Nothing is on.
        assert!(filter(json!({"root": 0, "tree": []})).unwrap().contains("$in"));
        for broken in [json!({"tree": "r"}), json!({"tree": [1]})] {
            assert_eq!(filter(broken).unwrap_err().kind(), ErrorKind::Protocol);
        }
    }

    fn arbitrary_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            prop::sample::select(vec!["AND", "OR", "=", "run", "name", "config", "x"]).prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let keys = prop::sample::select(vec![
                "blocks",
                "panelGroups",
                "runSets",
                "openRunSet",
                "metadata",
                "children",
                "collapsedChildren",
                "filters",
                "op",
                "key",
                "section",
                "name",
                "value",
                "sort",
                "keys",
                "ascending",
                "selections",
                "root",
                "tree",
                "project",
                "entityName",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((keys, inner), 0..5).prop_map(|members| {
                    Json::Object(
                        members
                            .into_iter()
                            .map(|(key, value)| (key.to_owned(), value))
                            .collect(),
                    )
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_content_is_read_or_refused(json in arbitrary_json()) {
            if let Ok(spec) = ReportSpec::parse(&json.to_string()) {
                prop_assert_eq!(spec.raw(), &json);
                for section in spec.sections().into_iter().flatten() {
                    for run_set in &section.run_sets {
                        let _ = (run_set.query(true, now()), run_set.search(), run_set.name());
                    }
                }
            }
            let _ = run_set(json).query(true, now());
        }
    }
}
