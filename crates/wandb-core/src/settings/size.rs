//! Sizes as people type them.

use super::InvalidValue;

/// Reads `0`, `500`, `500kB`, `10MB`, `2GB`, `1TB` (powers of 1000) or `2GiB` (powers of 1024); a bare number is bytes.
///
/// # Errors
/// [`InvalidValue::Size`].
pub fn parse_size(text: &str) -> Result<u64, InvalidValue> {
    let text = text.trim();
    let split = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| InvalidValue::Size)?;
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        "tib" => 1_099_511_627_776.0,
        _ => return Err(InvalidValue::Size),
    };
    let bytes = number * factor;
    // Beyond 2^53 a float no longer counts bytes; nobody's disk is that large.
    if bytes.is_finite() && bytes <= 9_007_199_254_740_992.0 {
        Ok(bytes as u64)
    } else {
        Err(InvalidValue::Size)
    }
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn reads_the_usual_units() {
        for (text, bytes) in [
            ("0", 0),
            ("500", 500),
            ("1.5kB", 1_500),
            ("10MB", 10_000_000),
            ("2 GiB", 2_147_483_648),
            ("1tb", 1_000_000_000_000),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "-1", "1 apple", "1e3", "99999999999999999999TB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
