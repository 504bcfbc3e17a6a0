//! Names that the server gives: run ids, and the friendly `adjective-noun-N`.

const ADJECTIVES: &[&str] = &[
    "amber", "ancient", "autumn", "bold", "brisk", "bright", "calm", "clear", "copper", "crisp", "dawn",
    "deep", "eager", "early", "earnest", "fair", "fresh", "gentle", "golden", "grand", "hardy", "hidden",
    "jolly", "keen", "light", "lively", "lunar", "mellow", "misty", "noble", "olive", "polar", "quick",
    "quiet", "rapid", "ruby", "rustic", "serene", "silver", "smooth", "solar", "steady", "still", "swift",
    "tidal", "vivid", "warm", "wild",
];
const NOUNS: &[&str] = &[
    "aspen", "bay", "breeze", "bridge", "brook", "cedar", "cliff", "cloud", "comet", "coral", "dune",
    "eagle", "ember", "falcon", "fern", "field", "fjord", "forest", "frost", "garden", "glacier", "grove",
    "harbor", "heron", "hill", "island", "lagoon", "lake", "leaf", "maple", "meadow", "moon", "oasis",
    "ocean", "orchid", "otter", "peak", "pine", "plain", "pond", "reef", "ridge", "river", "sparrow",
    "spring", "star", "stone", "valley",
];
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// Fills `bytes` from the operating system's generator.
pub(crate) fn random(bytes: &mut [u8]) -> std::io::Result<()> {
    getrandom::fill(bytes).map_err(std::io::Error::other)
}

/// A new run id: eight letters and digits, as the official client makes them.
pub(crate) fn run_id() -> std::io::Result<String> {
    let mut bytes = [0_u8; 8];
    random(&mut bytes)?;
    // 256 is not a multiple of 36; ids need to be unlikely to collide, not to be uniform.
    Ok(bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect())
}

/// The display name of the `number`-th run of a project.
pub(crate) fn display_name(number: u64) -> std::io::Result<String> {
    let mut bytes = [0_u8; 2];
    random(&mut bytes)?;
    let adjective = ADJECTIVES[usize::from(bytes[0]) % ADJECTIVES.len()];
    let noun = NOUNS[usize::from(bytes[1]) % NOUNS.len()];
    Ok(format!("{adjective}-{noun}-{number}"))
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_have_their_shape() {
        let id = run_id().unwrap();
        assert_eq!(id.len(), 8);
        assert!(id.bytes().all(|byte| ALPHABET.contains(&byte)));
        let name = display_name(7).unwrap();
        assert_eq!(name.split('-').count(), 3);
        assert!(name.ends_with("-7"));
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
    }
}
