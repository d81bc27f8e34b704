import gzip
from pathlib import Path

import numpy as np
import pytest

from fivefold.errors import DataError
from fivefold_vision.readers.choose import read_input_table, read_table, recognise
from fivefold_vision.readers.config import ColumnsConfig
from fivefold_vision.readers.options import Options
from plugins.vision.pictures import idx_bytes, idx_folder, image_folder, picture, save

OPTIONS = Options()


def refuse(source: Path, message: str, options: Options = OPTIONS) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_table(source, options)
    assert str(source.name) in str(caught.value)
    assert "\n" not in str(caught.value)


# Folders of images


def test_a_folder_of_classes(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "photos", each=3)
    save(root / "dog" / "more" / "x.JPG", picture())
    (root / "dog" / "notes.txt").write_text("not a picture", encoding="utf-8")
    (root / ".hidden").mkdir()
    (root / "empty").mkdir()
    table = read_table(root, OPTIONS)
    assert recognise(root, OPTIONS) == "a folder of images in 2 classes"
    assert table.classes == ("cat", "dog")
    assert table.ids.tolist() == [f"cat/{n}.png" for n in range(3)] + [f"dog/{n}.png" for n in range(3)] + [
        "dog/more/x.JPG"
    ]
    assert table["label"].tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert table.split is None
    assert table.problems == ()


def test_a_folder_of_splits(tmp_path: Path) -> None:
    for split, each in (("train", 4), ("valid", 2), ("test", 2)):
        image_folder(tmp_path / split, each=each)
    table = read_table(tmp_path, OPTIONS)
    assert recognise(tmp_path, OPTIONS) == "a folder of images in 2 classes, split into train, valid, test"
    assert table.split == "split"
    assert sorted(set(table["split"])) == ["test", "train", "val"]
    assert table.ids[0] == "train/cat/0.png"


def test_classes_that_are_called_like_splits(tmp_path: Path) -> None:
    root = image_folder(tmp_path, classes=("train", "bus"), each=2)
    assert read_table(root, OPTIONS).classes == ("bus", "train")


def test_pictures_of_unread_formats_and_beside_the_classes_are_told_of(tmp_path: Path) -> None:
    root = image_folder(tmp_path, each=2)
    (root / "cat" / "photo.heic").write_bytes(b"x")
    save(root / "stray.png", picture())
    problems = read_table(root, OPTIONS).problems
    assert [problem.sample for problem in problems] == ["stray.png", "cat/photo.heic"]
    assert "found .heic; convert or remove it" in problems[1].reason
    assert "found one beside them" in problems[0].reason


def test_no_such_folder(tmp_path: Path) -> None:
    refuse(
        tmp_path / "nowhere",
        r"nowhere: no such file or folder; expected a folder with one folder of images a class",
    )


def test_an_empty_folder(tmp_path: Path) -> None:
    refuse(tmp_path, "expected images in class folders, found an empty folder")


def test_images_without_classes(tmp_path: Path) -> None:
    save(tmp_path / "a.png", picture())
    refuse(tmp_path, "found images without class folders; sort them into folders")
    assert recognise(tmp_path, OPTIONS) is None


def test_a_folder_of_other_things(tmp_path: Path) -> None:
    for name in "abcde":
        (tmp_path / f"{name}.txt").touch()
    refuse(tmp_path, r"found a\.txt, b\.txt, c\.txt and 2 more")


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").touch()
    refuse(tmp_path / "model.onnx", "found a file of another kind")


# CSV lists


def listing(tmp_path: Path, text: str) -> Path:
    for name in ("a.png", "b.png", "sub/c.png"):
        save(tmp_path / name, picture())
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_with_group_and_split(tmp_path: Path) -> None:
    text = "path,label,group,split\na.png,cat,p1,train\nb.png,dog,p2,val\n\nsub/c.png,cat,p1,test\n"
    path = listing(tmp_path, "\ufeff" + text)
    for source in (path, tmp_path):  # the file, or the folder with just that file
        table = read_table(source, OPTIONS)
        assert table.ids.tolist() == ["a.png", "b.png", "sub/c.png"]
        assert table.classes == ("cat", "dog")
        assert table["label"].tolist() == [0, 1, 0]
        assert table.units is not None
        assert table.units.tolist() == ["p1", "p2", "p1"]
        assert table["split"].tolist() == ["train", "val", "test"]
    assert recognise(path, OPTIONS) == "a CSV file that lists images (path, label, group, split)"


def test_columns_of_other_names_and_numbers_in_order(tmp_path: Path) -> None:
    path = listing(tmp_path, "file, kind\na.png,10\nb.png, 9\n")
    table = read_table(path, Options(columns=ColumnsConfig(path="file", label="kind")))
    assert table.classes == ("9", "10")
    assert table.group is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "path,class\na.png,cat\n",
            r"expected a column 'label', found path, class; name the columns by --columns\.path",
        ),
        ("", "expected a column 'path', found none"),
        (
            "path,label\na.png,cat\n../b.png,dog\n",
            r"row 3: expected a path inside .*, found '\.\./b\.png', which leads out",
        ),
        ("path,label\na.png,cat\n/etc/passwd,dog\n", "row 3: expected a path inside .*, found '/etc/passwd'"),
        ("path,label\na.png,cat\nsub/../../x.png,dog\n", "row 3: expected a path inside"),
        ("path,label\na.png,cat\nz.png,dog\n", r"row 3: expected an image at 'z\.png', found no such file"),
        ("path,label\na.png,cat\n,dog\n", "row 3: expected an image at ''"),
        ("path,label\na.png,\n", "row 2: expected a value in column 'label', found an empty cell"),
        ("path,label\na.png,cat,x\n", "row 2: expected 2 cells as in the header, found 3"),
        ("path,label\na.png\n", "row 2: expected 2 cells as in the header, found 1"),
    ],
)
def test_a_wrong_list(tmp_path: Path, text: str, message: str) -> None:
    refuse(listing(tmp_path, text), message)


def test_a_list_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"path,label\n\xff\xfe,a\n")
    refuse(tmp_path / "x.csv", r"row 2: expected text in utf-8, found the byte 0xff.*save the file as UTF-8")


def test_a_folder_with_a_list_that_lacks_a_column(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,class\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"labels\.csv: expected a column 'label', found path, class"):
        read_table(tmp_path, OPTIONS)


# IDX


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_of_two_splits(tmp_path: Path, zipped: bool) -> None:
    root = idx_folder(tmp_path / "set", zipped=zipped)
    table = read_table(root, OPTIONS)
    assert table["image"].shape == (50, 8, 8)
    assert np.array_equal(table["image"][10], picture(0, 8, 8, grey=True))
    assert table.classes == ("0", "1", "2", "3")
    assert table["split"].tolist() == ["test"] * 10 + ["train"] * 40
    assert table.ids[12] == "train[2]"
    assert "t10k-images" in str(recognise(root, OPTIONS))


def test_one_idx_pair_and_names_of_classes(tmp_path: Path) -> None:
    root = idx_folder(tmp_path / "set")
    (root / "classes.txt").write_text("shirt\nbag\nboot\ncoat\n", encoding="utf-8")
    table = read_table(root / "train-images-idx3-ubyte", OPTIONS)
    assert table.classes == ("shirt", "bag", "boot", "coat")
    assert table.split is None
    assert read_table(root, Options(class_names=("a", "b", "c", "d"))).classes == ("a", "b", "c", "d")


def test_too_few_names_of_classes(tmp_path: Path) -> None:
    refuse(
        idx_folder(tmp_path / "s"),
        "unknown label 3: class_names names 2 classes",
        Options(class_names=("a", "b")),
    )
    refuse(tmp_path / "s", "a different name for each class", Options(class_names=("a", "b", "c", "a")))


def test_wrong_idx_files(tmp_path: Path) -> None:
    root = idx_folder(tmp_path / "set")
    images, labels = root / "train-images-idx3-ubyte", root / "train-labels-idx1-ubyte"
    good_images, good_labels = images.read_bytes(), labels.read_bytes()
    images.write_bytes(good_images[:-5])
    refuse(images, r"expected 2,560 bytes for shape \(40, 8, 8\), found 2,555; fetch the file again")
    images.write_bytes(good_images + b"x")
    refuse(images, "expected 2,560 bytes .* found more")
    images.write_bytes(good_labels)
    refuse(images, r"expected an IDX file of bytes in 3 dimensions \(magic 2051\), found magic 2049")
    images.write_bytes(good_images[:8] + b"\xff" * 8 + good_images[16:])
    refuse(images, "found a header that names")
    images.write_bytes(idx_bytes(np.zeros((39, 8, 8), np.uint8)))
    refuse(images, "expected a label for each of 39 images, found 40")
    labels.unlink()
    refuse(images, "expected the labels beside it, found no train-labels-idx1-ubyte")


def test_a_truncated_gzip(tmp_path: Path) -> None:
    root = idx_folder(tmp_path / "set", zipped=True)
    path = root / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    refuse(path, "expected a whole IDX file, found one that cannot be read")


# NPZ


def medmnist(path: Path, **arrays: np.ndarray) -> Path:
    rng = np.random.default_rng(0)
    content = {
        "train_images": rng.integers(0, 256, (20, 6, 6), dtype=np.uint8),
        "train_labels": rng.integers(0, 2, (20, 1), dtype=np.uint8),
        "val_images": rng.integers(0, 256, (5, 6, 6), dtype=np.uint8),
        "val_labels": rng.integers(0, 2, (5, 1), dtype=np.uint8),
    } | arrays
    np.savez(path, **{name: array for name, array in content.items() if array is not None})
    return path


def test_an_npz_without_a_test_split(tmp_path: Path) -> None:
    path = medmnist(tmp_path / "set.npz")
    for source in (path, tmp_path):
        table = read_table(source, OPTIONS)
        assert table["image"].shape == (25, 6, 6)
        assert table["split"].tolist() == ["train"] * 20 + ["val"] * 5
        assert table.classes == ("0", "1")
        assert table.ids[17] == "train_images[17]"
        assert recognise(source, OPTIONS) == "NPZ images (train, val)"


def test_an_npz_of_colour_images(tmp_path: Path) -> None:
    path = medmnist(tmp_path / "set.npz", train_images=np.zeros((20, 6, 6, 3), np.uint8), val_images=None)
    assert read_table(path, OPTIONS)["image"].shape == (20, 6, 6, 3)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"train_labels": None}, "expected 'train_labels' beside 'train_images', found"),
        (
            {"train_images": None, "val_images": None},
            "expected 'train_images' or 'val_images' or 'test_images', found",
        ),
        (
            {"train_images": np.zeros((20, 6, 6))},
            r"'train_images': expected uint8 images .* found float64 of shape \(20, 6, 6\)",
        ),
        ({"train_images": np.zeros((20, 6), np.uint8)}, "expected uint8 images of shape"),
        ({"train_images": np.zeros((20, 6, 0), np.uint8)}, "expected images with pixels"),
        (
            {"train_images": np.zeros((19, 6, 6), np.uint8)},
            "expected a label for each of 19 images, found 20",
        ),
        (
            {"train_images": np.zeros((20, 7, 6), np.uint8)},
            r"expected images of one shape, found \(6, 6\) and \(7, 6\)",
        ),
        ({"train_labels": np.zeros((20, 2), np.uint8)}, "several labels an image are another task"),
        ({"train_labels": np.full((20, 1), -1)}, "expected labels that count from 0, found -1"),
        ({"train_labels": np.full((20, 1), None)}, "expected an NPZ archive of plain arrays"),
    ],
)
def test_a_wrong_npz(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    refuse(medmnist(tmp_path / "set.npz", **arrays), message)


def test_a_broken_npz(tmp_path: Path) -> None:
    path = medmnist(tmp_path / "set.npz")
    path.write_bytes(path.read_bytes()[:-100])
    refuse(path, "expected an NPZ archive of plain arrays, found one that cannot be read")


# Pixels as CSV


def digits(path: Path, top: int = 16) -> Path:
    rng = np.random.default_rng(0)
    rows = np.hstack([rng.integers(0, top + 1, (12, 64)), np.arange(12)[:, None] % 3])
    rows[0, 0] = top
    np.savetxt(path, rows, fmt="%d", delimiter=",")
    return path


@pytest.mark.parametrize("top", [1, 16, 255])
def test_pixels_in_csv(tmp_path: Path, top: int) -> None:
    path = digits(tmp_path / "digits.csv.gz", top)
    for source in (path, tmp_path):
        table = read_table(source, OPTIONS)
        assert table["image"].shape == (12, 8, 8)
        assert table["image"][0, 0, 0] == 255
        assert table["label"].tolist() == [row % 3 for row in range(12)]
        assert recognise(source, OPTIONS) == "a CSV file of 8x8 pixels and a label a row (digits.csv.gz)"


def test_wrong_pixels_in_csv(tmp_path: Path) -> None:
    good = np.zeros((3, 65))
    for column, value, message in (
        (0, -1, "row 2: expected pixels from 0 to 255"),
        (0, 256, "row 2: expected pixels from 0 to 255"),
        (0, np.nan, "row 2: expected pixels from 0 to 255"),
        (64, 0.5, "row 2: expected a whole number as label in the last column, found 0.5"),
    ):
        rows = good.copy()
        rows[1, column] = value
        np.savetxt(tmp_path / "p.csv", rows, delimiter=",")
        refuse(tmp_path / "p.csv", message)
    (tmp_path / "p.csv").write_text(",".join("0" * 65) + "\n1,2\n", encoding="utf-8")
    refuse(tmp_path / "p.csv", "expected a number in every cell and rows of one length")
    data = gzip.compress((",".join("0" * 65) + "\n").encode() * 4000)
    (tmp_path / "q.csv.gz").write_bytes(data[:-12])
    refuse(tmp_path / "q.csv.gz", "expected a number in every cell")


# What to predict


def test_images_to_predict(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "photos", each=2)
    assert read_input_table(root, OPTIONS).ids.tolist() == [
        "cat/0.png",
        "cat/1.png",
        "dog/0.png",
        "dog/1.png",
    ]
    one = read_input_table(root / "cat" / "0.png", OPTIONS)
    assert one.ids.tolist() == ["0.png"]
    assert one.label is None


def test_sources_to_predict(tmp_path: Path) -> None:
    root = idx_folder(tmp_path / "idx")
    (root / "train-labels-idx1-ubyte").unlink()
    assert len(read_input_table(root, OPTIONS)) == 50
    assert len(read_input_table(root / "t10k-images-idx3-ubyte", OPTIONS)) == 10
    path = tmp_path / "new.npz"
    np.savez(path, images=np.zeros((7, 6, 6), np.uint8))
    assert read_input_table(path, OPTIONS).ids[6] == "images[6]"
    np.savez(path, other=np.zeros((7, 6, 6), np.uint8))
    with pytest.raises(DataError, match=r"expected an array 'images' or '\.\.\._images', found none"):
        read_input_table(path, OPTIONS)
    assert len(read_input_table(digits(tmp_path / "d.csv"), OPTIONS)) == 12
    np.savetxt(tmp_path / "e.csv", np.zeros((5, 64)), delimiter=",")
    assert read_input_table(tmp_path / "e.csv", OPTIONS)["image"].shape == (5, 8, 8)
    assert len(read_input_table(listing(tmp_path / "list", "path\na.png\n"), OPTIONS)) == 1


def test_nothing_to_predict(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected images to predict, found none in this folder"):
        read_input_table(tmp_path, OPTIONS)
    with pytest.raises(DataError, match=r"nowhere\.png: no such file"):
        read_input_table(tmp_path / "nowhere.png", OPTIONS)
