from collections.abc import Sequence

import pytest
import torch

from fivefold.errors import ConfigError
from fivefold.generation import Sampling, decode, row_seed, write
from fivefold.generation.writing import TextStream
from fivefold.nn.language import GPT, LanguageNetwork, RecurrentLanguageModel

LETTERS = "abcdefghijk"


def letters(ids: Sequence[int]) -> str:
    return "".join(LETTERS[number] for number in ids)


def raw_bytes(ids: Sequence[int]) -> str:
    return bytes(ids).decode("utf-8", errors="replace")


def lstm() -> LanguageNetwork:
    torch.manual_seed(0)
    return RecurrentLanguageModel("lstm", 11, 12).eval()


def gpt() -> LanguageNetwork:
    torch.manual_seed(0)
    network = GPT(11, 8, features=16, heads=2, layers=2).eval()
    with torch.no_grad():
        network.embedding.weight.mul_(25)  # fresh weights find all tokens alike
    return network


networks = pytest.mark.parametrize("make", [lstm, gpt])


@networks
def test_greedy_is_the_argmax_of_whole_forwards(make) -> None:
    network, prompt = make(), [3, 1, 4]
    found = decode(network, torch.tensor([prompt]), 5, how=Sampling(0), seeds=[0])[0].tolist()
    said = list(prompt)
    for _ in range(5):
        said.append(int(network(torch.tensor([said]))[0][0, -1].argmax()))
    assert found == said[3:]


@networks
def test_a_batch_of_uneven_prompts_is_each_alone(make) -> None:
    network = make()
    prompts = [[1, 2, 3], [4], [5, 6, 7], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [4]]
    settings = {"how": Sampling(0.9), "decode": letters}
    together = write(network, prompts, 40, seeds=[7] * 5, **settings)
    alone = [write(network, [prompt], 40, seeds=[7], **settings)[0] for prompt in prompts]
    assert together == alone
    assert together[1] == together[4]
    assert len({text.text for text in together}) == 4


@networks
def test_equal_seeds_write_alike_and_others_do_not(make) -> None:
    network = make()
    one, other, same = write(
        network, [[1]] * 3, 300, how=Sampling(), seeds=[row_seed(3, 0), row_seed(3, 1), row_seed(3, 0)], decode=letters
    )  # fmt: skip
    assert one == same
    assert one != other
    assert one.tokens == 300


def test_a_stop_text_ends_a_text_and_is_no_part_of_it() -> None:
    network = lstm()
    (whole,) = write(network, [[1]], 200, how=Sampling(), seeds=[0], decode=letters)
    stop = whole.text[60:63]
    place = whole.text.index(stop)
    shown: list[str] = []
    (cut,) = write(
        network, [[1]], 200, how=Sampling(), seeds=[0], decode=letters, stop=stop, show=shown.append
    )
    assert cut.text == whole.text[:place] == "".join(shown)
    assert cut.tokens == place + 3


def test_what_is_shown_is_the_text() -> None:
    shown: list[str] = []
    (text,) = write(lstm(), [[1]], 50, how=Sampling(), seeds=[0], decode=letters, show=shown.append)
    assert "".join(shown) == text.text
    assert len(shown) > 40


def test_banned_tokens_never_come() -> None:
    (text,) = write(
        lstm(), [[1]], 300, how=Sampling(2.0), seeds=[0], decode=letters, banned=[0, 1, 2, 3, 4, 5]
    )
    assert set(text.text) <= set(LETTERS[6:])


def test_only_whole_characters_are_shown() -> None:
    stream = TextStream(raw_bytes)
    shown = []
    for byte in "aß€🙂!".encode():
        stream.add(byte)
        shown.append(stream.fresh())
    assert [text for text in shown if text] == ["a", "ß", "€", "🙂", "!"]


def test_broken_bytes_do_not_stop_the_stream() -> None:
    stream = TextStream(raw_bytes)
    for byte in [0xF0] * 9:
        stream.add(byte)
    stream.end()
    assert set(stream.text) == {"\N{REPLACEMENT CHARACTER}"}
    assert stream.tokens == 9


def test_an_unfinished_character_is_there_at_the_end() -> None:
    stream = TextStream(raw_bytes)
    stream.add(0xC3)
    assert stream.fresh() == ""
    stream.end()
    assert stream.fresh() == "\N{REPLACEMENT CHARACTER}"


def test_the_beginning_of_a_stop_text_is_held_back() -> None:
    stream = TextStream(letters, stop="cde")
    shown = ""
    for number in [0, 2, 3, 1, 2, 3, 4, 5]:
        stream.add(number)
        shown += stream.fresh()
        assert "acdb".startswith(shown)
    assert stream.done
    assert stream.text == "acdb" == shown


def test_seeds_of_rows() -> None:
    seeds = {row_seed(seed, number) for seed in range(20) for number in range(20)}
    assert len(seeds) == 400
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_what_cannot_be_decoded() -> None:
    with pytest.raises(ConfigError, match="prompts of one token or more"):
        decode(lstm(), torch.zeros(1, 0, dtype=torch.int64), 3, how=Sampling(), seeds=[0])
    with pytest.raises(ConfigError, match="2 seeds"):
        decode(lstm(), torch.zeros(1, 1, dtype=torch.int64), 3, how=Sampling(), seeds=[0, 1])
