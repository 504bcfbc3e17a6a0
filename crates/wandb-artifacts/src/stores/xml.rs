//! Listings in XML, as flat records: no more than is asked for is kept of them.

use std::collections::HashMap;

use quick_xml::{Reader, events::Event};
use wandb_core::{Client, Result, client::Fetch};

use super::error::{refused, unreadable};

/// How long one page of a listing may be, in bytes: 5,000 objects with names of 1,024 bytes, and what is said of them.
const PAGE_LIMIT: usize = 32 << 20;

/// How deep elements may be nested. Real pages have five levels.
const DEEPEST: usize = 16;

/// How many pages of versions are read. Each has up to 1,000 (S3) or 5,000 (Azure).
pub(super) const MOST_PAGES: usize = 10_000;

/// The text of the innermost elements, by name. Of two with one name the first counts.
pub(super) type Fields = HashMap<String, String>;

/// A page: its records in order, each with the name of its element, and the fields outside of any record.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) records: Vec<(String, Fields)>,
    pub(super) fields: Fields,
}

/// Sends a request and reads the page that comes.
pub(super) async fn page(client: &Client, fetch: &Fetch, names: &[&str]) -> Result<Listing> {
    let answer = client.fetch(fetch).await.map_err(refused)?;
    let body = answer
        .body
        .collect(PAGE_LIMIT)
        .await
        .map_err(|error| refused(error.into()))?;
    std::str::from_utf8(&body)
        .ok()
        .and_then(|text| read(text, names))
        .ok_or_else(|| unreadable("listing"))
}

/// Reads a page, whose records are the elements of these names. `None` when it is no XML that ends well.
fn read(text: &str, names: &[&str]) -> Option<Listing> {
    let mut reader = Reader::from_str(text);
    let mut listing = Listing::default();
    // The names of the open elements; how deep the record is that they are in.
    let mut open: Vec<String> = Vec::new();
    let mut record: Option<usize> = None;
    let mut content = String::new();
    let mut is_leaf = false;
    let mut is_rooted = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() >= DEEPEST {
                    return None;
                }
                let name = std::str::from_utf8(start.local_name().as_ref()).ok()?.to_owned();
                if record.is_none() && names.contains(&name.as_str()) {
                    record = Some(open.len());
                    listing.records.push((name.clone(), Fields::new()));
                }
                open.push(name);
                content.clear();
                (is_leaf, is_rooted) = (true, true);
            }
            Event::End(_) => {
                let name = open.pop()?;
                if is_leaf && record != Some(open.len()) {
                    let fields = match (record, listing.records.last_mut()) {
                        (Some(_), Some((_, fields))) => fields,
                        _ => &mut listing.fields,
                    };
                    fields.entry(name).or_insert_with(|| std::mem::take(&mut content));
                }
                if record == Some(open.len()) {
                    record = None;
                }
                is_leaf = false;
            }
            Event::Text(text) => content.push_str(&text.xml10_content().ok()?),
            Event::CData(text) => content.push_str(&text.decode().ok()?),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(character) => content.push(character),
                None => content.push(match &*reference.decode().ok()? {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    // Nothing is declared: what could be is not looked up.
                    _ => return None,
                }),
            },
            Event::Eof => return (open.is_empty() && is_rooted).then_some(listing),
            Event::Empty(_) | Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_and_what_is_outside_of_them() {
        let page = r#"<?xml version="1.0"?><R xmlns="x"><Next>n&amp;m</Next>
            <V><Key>a &lt;b&gt; &#233;</Key><ETag>&quot;t&quot;</ETag><Owner><ID>o</ID><Key>other</Key></Owner></V>
            <D><Key>c</Key></D><Empty/><V><Key><![CDATA[<d>]]></Key></V><Last></Last></R>"#;
        let listing = read(page, &["V", "D"]).unwrap();
        let names: Vec<&str> = listing.records.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["V", "D", "V"]);
        let of = |place: usize, name: &str| listing.records[place].1.get(name).map(String::as_str);
        assert_eq!(of(0, "Key"), Some("a <b> é"));
        assert_eq!(of(0, "ETag"), Some("\"t\""));
        assert_eq!(of(0, "ID"), Some("o"));
        assert_eq!((of(1, "Key"), of(2, "Key")), (Some("c"), Some("<d>")));
        assert_eq!(listing.fields["Next"], "n&m");
        assert_eq!(listing.fields["Last"], "");
        assert!(!listing.fields.contains_key("Key"));
        for broken in ["", "text", "<R>", "<R><V></R>", "<R>&unknown;</R>"] {
            assert!(read(broken, &["V"]).is_none(), "{broken}");
        }
        let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        assert!(read(&deep, &["V"]).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[<>/&;#xVR a\"!\\[\\]-]{0,60}") {
            let _ = read(&text, &["V"]);
        }
    }
}
