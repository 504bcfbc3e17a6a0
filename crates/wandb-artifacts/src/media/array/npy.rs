//! The `.npy` format: a header as a Python literal, then the elements.
//!
//! The reader is total and takes memory in proportion to the file: the shape is checked against the bytes that are there
//! before anything is made of it. Arrays of Python objects are pickles, which run code when they are read; they are
//! refused.

use bytes::Bytes;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header that is read. NumPy itself refuses 10,000 and more.
const MAX_HEADER: usize = 64 << 10;

/// Most dimensions; NumPy's own limit.
const MAX_DIMENSIONS: usize = 64;

/// Why an array cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// The archive is broken, or has no array of that name.
    #[error("the archive cannot be read")]
    Archive(#[from] zip::result::ZipError),
    /// A packed array cannot be unpacked, or its checksum is wrong.
    #[error("the array cannot be unpacked")]
    Unpack(#[source] std::io::Error),
    /// Not a `.npy` file.
    #[error("it is no NumPy array: {0}")]
    Header(&'static str),
    /// The elements are Python objects. Reading them would run code.
    #[error("its elements are pickled Python objects, which are never read")]
    Pickled,
    /// A type of elements that is not read, such as dates or records.
    #[error("elements of the type {0:?} are not read")]
    ElementType(String),
    /// The shape does not fit the bytes.
    #[error("the shape {shape:?} takes other than {bytes} bytes")]
    Length {
        /// What the header says.
        shape: Vec<usize>,
        /// How many bytes of elements there are.
        bytes: usize,
    },
    /// More bytes than [`ReadOptions::array_bytes`](crate::media::ReadOptions::array_bytes) allows.
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    /// The array does not have one element for each row of the table.
    #[error("it has {found} rows, the table {expected}")]
    Rows {
        /// Of the array.
        found: usize,
        /// Of the table.
        expected: usize,
    },
}

/// The type of the elements of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Element {
    /// `bool`.
    Bool,
    /// A signed integer of so many bytes: 1, 2, 4 or 8.
    Int(usize),
    /// An unsigned integer of so many bytes: 1, 2, 4 or 8.
    UInt(usize),
    /// A float of so many bytes: 2, 4 or 8.
    Float(usize),
    /// A complex number of so many bytes: 8 or 16.
    Complex(usize),
    /// A text of so many characters (`U`), filled up with NULs.
    Text(usize),
    /// So many bytes (`S`), filled up with NULs.
    Bytes(usize),
}

impl Element {
    /// Bytes of one element.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::Int(size) | Self::UInt(size) | Self::Float(size) | Self::Complex(size) => size,
            Self::Text(characters) => characters.saturating_mul(4),
            Self::Bytes(size) => size,
        }
    }

    /// Reads a type such as `<f8`; the second is whether the elements are big-endian.
    fn parse(text: &str) -> Result<(Self, bool), ArrayError> {
        let unknown = || ArrayError::ElementType(text.chars().take(40).collect());
        let (big, rest) = match text.as_bytes().first() {
            Some(b'<' | b'|' | b'=') => (false, &text[1..]),
            Some(b'>') => (true, &text[1..]),
            _ => (false, text),
        };
        let Some(letter) = rest.chars().next() else {
            return Err(unknown());
        };
        if letter == 'O' {
            return Err(ArrayError::Pickled);
        }
        let size: usize = rest[letter.len_utf8()..].parse().map_err(|_| unknown())?;
        let element = match (letter, size) {
            ('b', 1) => Self::Bool,
            ('i', 1 | 2 | 4 | 8) => Self::Int(size),
            ('u', 1 | 2 | 4 | 8) => Self::UInt(size),
            ('f', 2 | 4 | 8) => Self::Float(size),
            ('c', 8 | 16) => Self::Complex(size),
            // A text of no characters is stored as one of none; there is nothing to divide by elsewhere.
            ('U', _) => Self::Text(size),
            ('S', _) => Self::Bytes(size),
            _ => return Err(unknown()),
        };
        Ok((element, big))
    }
}

/// An array in memory, in C order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NdArray {
    pub(super) element: Element,
    pub(super) big_endian: bool,
    pub(super) shape: Vec<usize>,
    pub(super) data: Bytes,
}

impl NdArray {
    /// Reads a `.npy` file of at most `limit` bytes.
    ///
    /// # Errors
    /// When it is none, is larger, or has elements that are not read.
    pub fn parse(file: &Bytes, limit: u64) -> Result<Self, ArrayError> {
        if file.len() as u64 > limit {
            return Err(ArrayError::TooLarge(limit));
        }
        let (header, start) = header(file)?;
        let header = Header::parse(header)?;
        let (element, big_endian) = Element::parse(&header.descr)?;
        let data = file.slice(start..);
        let length = || ArrayError::Length {
            shape: header.shape.clone(),
            bytes: data.len(),
        };
        let elements = header
            .shape
            .iter()
            .try_fold(1_usize, |all, extent| all.checked_mul(*extent));
        let bytes = elements.and_then(|elements| elements.checked_mul(element.size()));
        if bytes != Some(data.len()) {
            return Err(length());
        }
        // An extent of 0 must not smuggle in others that no bytes stand for.
        let volume = header
            .shape
            .iter()
            .try_fold(1_u64, |all, extent| all.checked_mul((*extent).max(1) as u64));
        if volume.is_none_or(|volume| volume > (file.len() as u64).max(1 << 16)) {
            return Err(length());
        }
        let data = if header.fortran && header.shape.len() > 1 && !data.is_empty() {
            to_c_order(&data, &header.shape, element.size())
        } else {
            data
        };
        Ok(Self {
            element,
            big_endian,
            shape: header.shape,
            data,
        })
    }

    /// The type of the elements.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// Bytes of all elements.
    pub(in crate::media) fn bytes(&self) -> usize {
        self.data.len()
    }

    /// The extents, the rows of the table first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
}

/// The text of the header, and where the elements start.
fn header(file: &[u8]) -> Result<(&str, usize), ArrayError> {
    let rest = file
        .strip_prefix(MAGIC)
        .ok_or(ArrayError::Header("the magic bytes are missing"))?;
    let cut = ArrayError::Header("it ends in the header");
    let (length, prefix) = match *rest {
        [1, _, low, high, ..] => (usize::from(u16::from_le_bytes([low, high])), 4),
        [2 | 3, _, a, b, c, d, ..] => {
            let length = u32::from_le_bytes([a, b, c, d]);
            (usize::try_from(length).unwrap_or(usize::MAX), 6)
        }
        [1..=3, ..] => return Err(cut),
        _ => return Err(ArrayError::Header("an unknown version of the format")),
    };
    if length > MAX_HEADER {
        return Err(ArrayError::Header("the header is too long"));
    }
    let start = MAGIC.len() + prefix;
    let header = file.get(start..start + length).ok_or(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| ArrayError::Header("the header is not UTF-8"))?;
    Ok((header, start + length))
}

/// `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }`.
#[derive(Debug)]
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, ArrayError> {
        let mut literal = Literal { rest: text.trim() };
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        literal.take('{')?;
        while !literal.found('}') {
            let key = literal.text()?;
            literal.take(':')?;
            match key {
                "descr" if literal.starts_with(['[', '(', '{']) => {
                    return Err(ArrayError::ElementType("record".to_owned()));
                }
                "descr" => descr = Some(literal.text()?.to_owned()),
                "fortran_order" => fortran = Some(literal.truth()?),
                "shape" => shape = Some(literal.shape()?),
                _ => return Err(ArrayError::Header("an unknown key in the header")),
            }
            if !literal.found(',') {
                literal.take('}')?;
                break;
            }
        }
        match (descr, fortran, shape) {
            (Some(descr), Some(fortran), Some(shape)) => Ok(Self {
                descr,
                fortran,
                shape,
            }),
            _ => Err(ArrayError::Header("the header lacks a key")),
        }
    }
}

/// Walks the few Python literals that a header is made of.
struct Literal<'a> {
    rest: &'a str,
}

impl<'a> Literal<'a> {
    fn starts_with(&mut self, characters: [char; 3]) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.starts_with(characters)
    }

    fn found(&mut self, character: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn take(&mut self, character: char) -> Result<(), ArrayError> {
        if self.found(character) {
            Ok(())
        } else {
            Err(ArrayError::Header("the header is no Python dictionary"))
        }
    }

    /// A text without escapes: keys and simple types never have one.
    fn text(&mut self) -> Result<&'a str, ArrayError> {
        for quote in ['\'', '"'] {
            if self.found(quote)
                && let Some((text, rest)) = self.rest.split_once(quote)
            {
                self.rest = rest;
                return Ok(text);
            }
        }
        Err(ArrayError::Header("a text was expected in the header"))
    }

    fn truth(&mut self) -> Result<bool, ArrayError> {
        self.rest = self.rest.trim_start();
        for (word, truth) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(truth);
            }
        }
        Err(ArrayError::Header("fortran_order is neither True nor False"))
    }

    fn shape(&mut self) -> Result<Vec<usize>, ArrayError> {
        let wrong = || ArrayError::Header("the shape is no tuple of extents");
        let mut shape = Vec::new();
        if !self.found('(') {
            return Err(wrong());
        }
        while !self.found(')') {
            self.rest = self.rest.trim_start();
            let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = self.rest.split_at(digits);
            // Python 2 wrote long integers with an L.
            self.rest = rest.strip_prefix('L').unwrap_or(rest);
            shape.push(number.parse().map_err(|_| wrong())?);
            if shape.len() > MAX_DIMENSIONS {
                return Err(wrong());
            }
            if !self.found(',') {
                if self.found(')') {
                    break;
                }
                return Err(wrong());
            }
        }
        Ok(shape)
    }
}

/// Copies elements whose first index runs fastest into the order in which the last one does.
fn to_c_order(data: &[u8], shape: &[usize], size: usize) -> Bytes {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = size;
    for extent in shape {
        strides.push(stride);
        stride *= extent;
    }
    let mut out = Vec::with_capacity(data.len());
    let mut index = vec![0_usize; shape.len()];
    while out.len() < data.len() {
        let at: usize = index
            .iter()
            .zip(&strides)
            .map(|(place, stride)| place * stride)
            .sum();
        out.extend_from_slice(&data[at..at + size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    Bytes::from(out)
}
