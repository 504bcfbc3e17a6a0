//! A loss curve as a small PNG.

use std::io::Write as _;

use flate2::Compression;
use flate2::Crc;
use flate2::write::ZlibEncoder;

const WIDTH: usize = 240;
const HEIGHT: usize = 120;
const PAPER: u8 = 250;
const GRID: u8 = 225;
const INK: u8 = 40;

/// The finite values as a curve over their index, 240 by 120 pixels of grey.
pub(super) fn plot(values: &[f64]) -> Vec<u8> {
    let mut pixels = vec![PAPER; WIDTH * HEIGHT];
    for row in (0..HEIGHT).step_by(HEIGHT / 4) {
        pixels[row * WIDTH..(row + 1) * WIDTH].fill(GRID);
    }
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let top = finite.clone().fold(f64::MIN, f64::max);
    let bottom = finite.fold(f64::MAX, f64::min);
    let span = (top - bottom).max(f64::MIN_POSITIVE);
    let mut before: Option<usize> = None;
    for column in 0..WIDTH {
        let value = values
            .get(column * values.len() / WIDTH)
            .copied()
            .unwrap_or(f64::NAN);
        if !value.is_finite() {
            before = None;
            continue;
        }
        let row = ((top - value) / span * (HEIGHT - 1) as f64).round() as usize;
        let row = row.min(HEIGHT - 1);
        let from = before.unwrap_or(row);
        for row in from.min(row)..=from.max(row) {
            pixels[row * WIDTH + column] = INK;
        }
        before = Some(row);
    }
    encode(&pixels)
}

/// PNG, 8-bit greyscale, no filter.
fn encode(pixels: &[u8]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend((WIDTH as u32).to_be_bytes());
    header.extend((HEIGHT as u32).to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    chunk(&mut png, *b"IHDR", &header);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = pixels
        .chunks(WIDTH)
        .try_for_each(|row| encoder.write_all(&[0]).and_then(|()| encoder.write_all(row)));
    let data = written
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail");
    chunk(&mut png, *b"IDAT", &data);
    chunk(&mut png, *b"IEND", &[]);
    png
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    png.extend((data.len() as u32).to_be_bytes());
    png.extend(kind);
    png.extend(data);
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    png.extend(crc.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn is_a_png_of_the_right_size_with_the_curve_in_it() {
        let png = plot(&[2.0, 1.0, f64::NAN, 0.5]);
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&png[16..24], [0, 0, 0, 240, 0, 0, 0, 120]);
        let at = png.windows(4).position(|window| window == b"IDAT").unwrap();
        let length = u32::from_be_bytes(png[at - 4..at].try_into().unwrap()) as usize;
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&png[at + 4..at + 4 + length])
            .read_to_end(&mut rows)
            .unwrap();
        assert_eq!(rows.len(), HEIGHT * (WIDTH + 1));
        assert_eq!(rows[1], INK, "the curve begins at the top left");
        assert!(png.ends_with(b"IEND\xae\x42\x60\x82"));
        plot(&[]);
    }
}
