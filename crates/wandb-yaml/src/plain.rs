//! What a scalar without quotes is: the rules of PyYAML's resolver, which are those of YAML 1.1 but for `y` and `n`, and
//! stricter for floats.

use crate::Yaml;

/// The value of a scalar that is written without quotes and without a tag.
pub(crate) fn resolve(text: &str) -> Yaml {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Yaml::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Yaml::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Yaml::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Yaml::Float(f64::NAN),
        _ => integer(text)
            .or_else(|| float(text).map(Yaml::Float))
            .unwrap_or_else(|| Yaml::Text(text.to_owned())),
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// The digits of a base, with `_` anywhere among them; at least one of either.
fn digits(text: &str, base: u32) -> Option<String> {
    let fits = |digit: char| digit == '_' || digit.is_digit(base);
    (!text.is_empty() && text.chars().all(fits)).then(|| text.replace('_', ""))
}

fn integer(text: &str) -> Option<Yaml> {
    let (negative, rest) = sign(text);
    let number = |digits: &str, base: u32| {
        let value = i128::from_str_radix(digits, base).ok()?;
        let value = if negative { -value } else { value };
        Some(i64::try_from(value).map_or_else(|_| Yaml::BigInt(value.to_string()), Yaml::Int))
    };
    for (prefix, base) in [("0b", 2), ("0x", 16)] {
        if let Some(rest) = rest.strip_prefix(prefix) {
            return number(&digits(rest, base)?, base);
        }
    }
    if rest.starts_with('0') {
        return number(&digits(rest, 8)?, 8);
    }
    if !rest.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if rest.contains(':') {
        return number(&sexagesimal(rest)?.to_string(), 10);
    }
    let digits = digits(rest, 10)?;
    number(&digits, 10).or_else(|| {
        // Beyond 128 bits: the digits are the number.
        Some(Yaml::BigInt(format!(
            "{}{digits}",
            if negative { "-" } else { "" }
        )))
    })
}

/// `12:30:05`: digits to the base of sixty, as times are written. `None` also beyond 64 bits.
fn sexagesimal(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let mut value: u64 = digits(parts.next()?, 10)?.parse().ok()?;
    for part in parts {
        let small = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
        let part: u64 = part.parse().ok().filter(|part| small && *part < 60)?;
        value = value.checked_mul(60)?.checked_add(part)?;
    }
    Some(value)
}

fn float(text: &str) -> Option<f64> {
    let (negative, rest) = sign(text);
    let signed = |value: f64| if negative { -value } else { value };
    if matches!(rest, ".inf" | ".Inf" | ".INF") {
        return Some(signed(f64::INFINITY));
    }
    let (whole, fraction) = rest.split_once('.')?;
    if let Some((above, below)) = whole.rsplit_once(':') {
        // `1:30.5`: the digits after the point belong to the last part, and there is no exponent.
        let last: u64 = below.parse().ok().filter(|part| *part < 60)?;
        let fraction = if fraction.is_empty() {
            String::new()
        } else {
            digits(fraction, 10)?
        };
        let above = sexagesimal(above)?.checked_mul(60)?;
        let last: f64 = format!("{last}.{fraction}0").parse().ok()?;
        return Some(signed(above as f64 + last));
    }
    let (fraction, exponent) = match fraction.find(['e', 'E']) {
        Some(at) => (&fraction[..at], Some(&fraction[at + 1..])),
        None => (fraction, None),
    };
    if let Some(exponent) = exponent {
        // PyYAML asks for a sign, unlike everybody else.
        let power = exponent.strip_prefix(['+', '-'])?;
        if power.is_empty() || !power.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    let whole = match whole {
        // `.5` is a number and `-.5` is a text.
        "" if rest.len() == text.len() && fraction.starts_with(|first: char| first.is_ascii_digit()) => {
            "0".to_owned()
        }
        "" => return None,
        whole if whole.starts_with('_') => return None,
        whole => digits(whole, 10)?,
    };
    let fraction = if fraction.is_empty() {
        String::new()
    } else {
        digits(fraction, 10)?
    };
    format!("{whole}.{fraction}0e{}", exponent.unwrap_or("0"))
        .parse()
        .ok()
        .map(signed)
}
