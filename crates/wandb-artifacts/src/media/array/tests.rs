//! Arrays as NumPy writes them, and as nobody does.

use std::io::Write;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 1 << 20;

/// A `.npy` file of version 1.
fn npy(header: &str, data: &[u8]) -> Bytes {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend_from_slice(&(header.len() as u16).to_le_bytes());
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(data);
    Bytes::from(file)
}

fn simple(descr: &str, shape: &str, data: &[u8]) -> Result<NdArray, ArrayError> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}  \n");
    NdArray::parse(&npy(&header, data), LIMIT)
}

fn json(array: &NdArray) -> String {
    array.view().to_value().to_wire()
}

#[test]
fn every_type_of_element_is_read() {
    let cases: [(&str, &[u8], &str); 16] = [
        ("|b1", &[0, 1], "[false,true]"),
        ("|i1", &[255, 127], "[-1,127]"),
        ("<i2", &[0, 128, 1, 0], "[-32768,1]"),
        (">i4", &[255, 255, 255, 254, 0, 0, 1, 0], "[-2,256]"),
        ("<i8", &[255; 16], "[-1,-1]"),
        (
            "<u8",
            &[255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0],
            "[18446744073709551615,1]",
        ),
        ("|u1", &[255, 0], "[255,0]"),
        (">u2", &[1, 0, 0, 1], "[256,1]"),
        ("<f2", &[0, 0x3c, 0, 0xfc], "[1.0,-Infinity]"),
        ("<f2", &[1, 0, 0, 0x7e], "[5.960464477539063e-8,NaN]"),
        (">f4", &[0x3f, 0xc0, 0, 0, 0x7f, 0x80, 0, 0], "[1.5,Infinity]"),
        (
            "<f8",
            &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0xf0, 0xbf],
            "[1.5,-1.0]",
        ),
        (
            "<c8",
            &[0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 128, 191],
            "[[1.0,2.0],[0.0,-1.0]]",
        ),
        ("<U2", b"a\0\0\0\xe9\0\0\0b\0\0\0\0\0\0\0", r#"["aé","b"]"#),
        (">U1", b"\0\0\0z\xff\xff\xff\xff", "[\"z\",\"\u{fffd}\"]"),
        ("|S3", b"ab\0c\0\0", r#"["ab","c"]"#),
    ];
    for (descr, data, expected) in cases {
        let array = simple(descr, "(2,)", data).unwrap();
        assert_eq!(json(&array), expected, "{descr}");
    }
}

#[test]
fn shapes_are_rows_of_rows() {
    let array = simple("|u1", "(2, 3)", &[1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(json(&array), "[[1,2,3],[4,5,6]]");
    assert_eq!(array.row(1).unwrap().to_value().to_json(), "[4,5,6]");
    assert!(array.row(2).is_none());
    assert_eq!(array.row(0).unwrap().len(), 3);
    let scalar = simple("|u1", "()", &[7]).unwrap();
    assert_eq!(json(&scalar), "7");
    assert!(scalar.row(0).is_none());
    assert_eq!(json(&simple("<f8", "(2, 0)", &[]).unwrap()), "[[],[]]");
    assert!(simple("<f8", "(0,)", &[]).unwrap().view().is_empty());
    // Python 2 and old NumPy.
    assert_eq!(json(&simple("|u1", "(2L,)", &[1, 2]).unwrap()), "[1,2]");

    let header = "{'shape': (2, 3), 'fortran_order': True, 'descr': \"<u2\"}";
    let array = NdArray::parse(&npy(header, &[1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0]), LIMIT).unwrap();
    assert_eq!(json(&array), "[[1,2,3],[4,5,6]]");
}

#[test]
fn what_is_no_array_is_refused() {
    assert!(matches!(
        simple("|O", "(1,)", b"cos\nsystem"),
        Err(ArrayError::Pickled)
    ));
    for descr in ["<M8[ms]", "<f16", "<i3", "", "<", "é8", "<U99999999999999999999"] {
        assert!(
            matches!(simple(descr, "(1,)", &[0; 8]), Err(ArrayError::ElementType(_))),
            "{descr}"
        );
    }
    for shape in [
        "(3,)",
        "(18446744073709551615, 2)",
        "(4611686018427387904, 4)",
        "(0, 1000000000000)",
    ] {
        assert!(
            matches!(simple("<f8", shape, &[]), Err(ArrayError::Length { .. })),
            "{shape}"
        );
    }
    // Elements without bytes must not stand for rows.
    assert!(matches!(
        simple("<U0", "(1000000000000,)", &[]),
        Err(ArrayError::Length { .. })
    ));
    for shape in [
        "3",
        "(",
        "(-1,)",
        "(1 2)",
        "(99999999999999999999,)",
        &format!("({})", "1,".repeat(65)),
    ] {
        assert!(
            matches!(simple("<f8", shape, &[]), Err(ArrayError::Header(_))),
            "{shape}"
        );
    }
    for header in [
        "",
        "{",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': ()}",
        "{'shape': ()}",
        "{'x': 1}",
    ] {
        assert!(NdArray::parse(&npy(header, &[]), LIMIT).is_err(), "{header}");
    }
    for file in [
        &b""[..],
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY\x09\x00\x01\x00{",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
    ] {
        assert!(matches!(
            NdArray::parse(&Bytes::copy_from_slice(file), LIMIT),
            Err(ArrayError::Header(_))
        ));
    }
    assert!(matches!(
        NdArray::parse(&npy("{}", &[0; 100]), 50),
        Err(ArrayError::TooLarge(50))
    ));
}

/// An archive whose one member is `name`, packed.
fn npz(name: &str, content: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    writer.start_file(name, options).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap().into_inner()
}

#[test]
fn an_archive_is_unpacked_up_to_the_limit() {
    let zeros = vec![0; 500_000];
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (500000,)}";
    let archive = npz("a.npy", &npy(header, &zeros));
    assert!(archive.len() < 5_000, "a bomb is small");
    assert_eq!(read_npz(&archive, "a", LIMIT).unwrap().shape(), [500_000]);
    assert!(matches!(
        read_npz(&archive, "a", 100_000),
        Err(ArrayError::TooLarge(_))
    ));
    assert!(matches!(
        read_npz(&archive, "b", LIMIT),
        Err(ArrayError::Archive(_))
    ));
    assert!(matches!(read_npz(b"PK", "a", LIMIT), Err(ArrayError::Archive(_))));
    // A flipped bit anywhere in the data is noticed by the checksum or the decoder.
    let mut broken = npz("a.npy", &npy(header, &zeros));
    let middle = 60;
    broken[middle] ^= 1;
    assert!(read_npz(&broken, "a", LIMIT).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_reader_never_panics(file in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = NdArray::parse(&Bytes::from(file.clone()), LIMIT);
        let _ = read_npz(&file, "a", LIMIT);
    }

    #[test]
    fn headers_never_panic(
        descr in "[<>|=]?[biufcUSOM][0-9]{0,3}",
        shape in "[(]?([0-9]{1,4},){0,4}[)]?",
        order in "True|False|Tru|",
        data in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}}}");
        if let Ok(array) = NdArray::parse(&npy(&header, &data), LIMIT) {
            prop_assert_eq!(array.view().iter().count(), array.view().len());
            let _ = array.view().to_value();
        }
    }

    #[test]
    fn mutated_archives_never_panic(place in 0_usize..400, byte in any::<u8>()) {
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}";
        let mut archive = npz("a.npy", &npy(header, &[7; 32]));
        let length = archive.len();
        archive[place % length] = byte;
        if let Ok(array) = read_npz(&archive, "a", LIMIT) {
            let _ = array.view().to_value();
        }
    }

    #[test]
    fn fortran_order_is_the_transpose(rows in 1_usize..5, columns in 1_usize..5, depth in 1_usize..4) {
        let shape = [rows, columns, depth];
        let volume = rows * columns * depth;
        // The element at (i, j, k) is its place in C order.
        let mut data = vec![0_u8; volume];
        for i in 0..rows {
            for j in 0..columns {
                for k in 0..depth {
                    data[i + rows * (j + columns * k)] = ((i * columns + j) * depth + k) as u8;
                }
            }
        }
        let header = format!("{{'descr': '|u1', 'fortran_order': True, 'shape': ({rows}, {columns}, {depth})}}");
        let array = NdArray::parse(&npy(&header, &data), LIMIT).unwrap();
        prop_assert_eq!(array.shape(), shape);
        let elements: Vec<f64> = array.view().to_f64().unwrap();
        prop_assert_eq!(elements, (0..volume).map(|place| place as f64).collect::<Vec<_>>());
    }
}
