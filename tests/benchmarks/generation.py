"""Tokens a second of generation: fivefold, a plain torch loop and transformers: ``python -m benchmarks.generation``.

Run from tests. All three write the same number of tokens with a GPT of equal layers, width, heads and vocabulary, in
float32, from a prompt of equal length, greedily or by plain sampling at temperature 1. The plain loop reads fivefold's
own weights and is written out below: linear maps, a cache set aside beforehand, fused attention, and nothing else;
greedily it must write what fivefold writes, token for token. transformers' GPT-2 has weights of its own.

In each round every writer writes once; every second round goes through them backwards, so that a machine that grows
slower favours none. The table gives the median and quartiles over rounds, and the same of the ratio to the plain loop
within a round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from fivefold.generation import Sampling, decode
from fivefold.nn.language import GPT
from fivefold.provenance import processor
from fivefold.training.speed.precision import use_fast_kernels

Writer = Callable[[Tensor, int, bool], Tensor]
"""Prompts (B, T), tokens to write, and whether to sample: to the tokens written, (B, length)."""


@dataclass(frozen=True)
class Shape:
    """The network that is written with."""

    layers: int
    width: int
    heads: int
    vocabulary: int
    context: int


def plain_loop(network: GPT) -> Writer:
    """A loop by hand over the weights of ``network``."""
    weights = [
        (
            (block.attention_norm.weight, block.attention_norm.bias),
            (block.attention.query.weight, block.attention.query.bias),
            (block.attention.key_value.weight, block.attention.key_value.bias),
            (block.attention.output.weight, block.attention.output.bias),
            (block.mlp_norm.weight, block.mlp_norm.bias),
            (block.mlp.layers[0].weight, block.mlp.layers[0].bias),
            (block.mlp.layers[3].weight, block.mlp.layers[3].bias),
        )
        for block in network.blocks
    ]
    table = network.embedding.weight
    width = table.shape[1]
    heads = network.blocks[0].attention.heads
    inner = width // heads
    rotary = network.blocks[0].attention.positions
    cosines, sines = rotary.cosines, rotary.sines

    def turned(vectors: Tensor, start: int, end: int) -> Tensor:
        return vectors * cosines[start:end] + vectors.roll(inner // 2, -1) * sines[start:end]

    @torch.inference_mode()
    def run(prompts: Tensor, length: int, sampled: bool) -> Tensor:
        batch, seen = prompts.shape
        size = (len(weights), batch, heads, seen + length, inner)
        keys, values = (torch.empty(size, device=prompts.device) for _ in range(2))
        written = prompts.new_empty(batch, length)
        step, start = prompts, 0
        for number in range(length):
            end = start + step.shape[1]
            x = F.embedding(step, table)
            for layer, (norm, query, key_value, output, second, first_mlp, last_mlp) in enumerate(weights):
                normed = F.layer_norm(x, (width,), *norm)
                q = F.linear(normed, *query).view(batch, -1, heads, inner).transpose(1, 2)
                k, v = F.linear(normed, *key_value).chunk(2, dim=-1)
                k = k.view(batch, -1, heads, inner).transpose(1, 2)
                keys[layer, :, :, start:end] = turned(k, start, end)
                values[layer, :, :, start:end] = v.view(batch, -1, heads, inner).transpose(1, 2)
                attended = F.scaled_dot_product_attention(
                    turned(q, start, end), keys[layer, :, :, :end], values[layer, :, :, :end], is_causal=end > start + 1
                )  # fmt: skip
                x = x + F.linear(attended.transpose(1, 2).flatten(2), *output)
                normed = F.layer_norm(x, (width,), *second)
                x = x + F.linear(F.gelu(F.linear(normed, *first_mlp)), *last_mlp)
            last = F.layer_norm(x[:, -1], (width,), network.norm.weight, network.norm.bias)
            logits = F.linear(last, table)
            token = torch.multinomial(logits.softmax(-1), 1) if sampled else logits.argmax(-1, keepdim=True)
            written[:, number] = token[:, 0]
            step, start = token, end
        return written

    return run


def fivefold_writer(network: GPT) -> Writer:
    """`fivefold.generation`."""

    def run(prompts: Tensor, length: int, sampled: bool) -> Tensor:
        how = Sampling(1.0 if sampled else 0.0)
        return decode(network, prompts, length, how=how, seeds=range(len(prompts)))

    return run


def transformers_writer(shape: Shape, device: torch.device) -> Writer:
    """``generate`` of transformers' GPT-2, with its cache, without an end token that could end it early."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=shape.vocabulary,
        n_positions=shape.context,
        n_embd=shape.width,
        n_layer=shape.layers,
        n_head=shape.heads,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="sdpa",
    )
    torch.manual_seed(0)
    model = GPT2LMHeadModel(config).to(device).eval()

    @torch.inference_mode()
    def run(prompts: Tensor, length: int, sampled: bool) -> Tensor:
        whole = model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            max_new_tokens=length,
            min_new_tokens=length,
            do_sample=sampled,
            top_k=0,
            use_cache=True,
            pad_token_id=0,
        )
        return whole[:, prompts.shape[1] :]

    return run


def timed(writer: Writer, prompts: Tensor, length: int, sampled: bool) -> float:
    """Tokens a second."""
    if prompts.is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    found = writer(prompts, length, sampled)
    if prompts.is_cuda:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    if found.shape != (len(prompts), length):
        raise RuntimeError(f"expected {length} tokens for each of {len(prompts)}, found {tuple(found.shape)}")
    return found.numel() / seconds


def measure(
    writers: dict[str, Writer], prompts: Tensor, length: int, sampled: bool, rounds: int
) -> dict[str, list[float]]:
    """Tokens a second of each writer in each round."""
    for writer in writers.values():
        writer(prompts, min(length, 16), sampled)
    figures: dict[str, list[float]] = {name: [] for name in writers}
    for number in range(rounds):
        names = list(writers) if number % 2 == 0 else list(reversed(writers))
        for name in names:
            figures[name].append(timed(writers[name], prompts, length, sampled))
    return figures


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def show(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def report(title: str, figures: dict[str, list[float]]) -> None:
    """Print a table."""
    show(f"\n{title}")
    for name, speeds in figures.items():
        low, middle, high = quartiles(speeds)
        ratios = [own / plain for own, plain in zip(speeds, figures["plain loop"], strict=True)]
        worse, usual, better = quartiles(ratios)
        show(
            f"  {name:14} {middle:9.0f} tokens/s ({low:.0f} to {high:.0f})   {usual:.2f} of the plain loop "
            f"({worse:.2f} to {better:.2f})"
        )


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.generation", description=(__doc__ or "").split("\n", maxsplit=1)[0]
    )
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", type=torch.device, default=torch.device(default))
    parser.add_argument("--threads", type=int, default=1, help="threads of torch on the CPU")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--heads", type=int, default=6)
    parser.add_argument("--vocabulary", type=int, default=65)
    parser.add_argument("--prompt", type=int, default=16, help="tokens of the prompt")
    parser.add_argument("--length", type=int, default=200, help="tokens written")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", type=Path, help="write every figure there")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parse(words)
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore")
    device = options.device
    if device.type == "cuda":
        use_fast_kernels(device)
    context = options.prompt + options.length
    shape = Shape(options.layers, options.width, options.heads, options.vocabulary, context)
    torch.manual_seed(0)
    network = GPT(shape.vocabulary, context, features=shape.width, heads=shape.heads, layers=shape.layers)
    network = network.to(device).eval()
    writers = {
        "plain loop": plain_loop(network),
        "fivefold": fivefold_writer(network),
        "transformers": transformers_writer(shape, device),
    }
    hardware = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    show(f"{hardware}, {options.threads} thread(s), torch {torch.__version__}, float32, {shape}")
    figures = {}
    for batch in options.batches:
        prompts = torch.randint(shape.vocabulary, (batch, options.prompt), device=device)
        sampled = False
        same = torch.equal(*(writers[name](prompts, 32, sampled) for name in ("plain loop", "fivefold")))
        if not same:
            raise RuntimeError(
                "the plain loop and fivefold must write the same tokens, found that they differ"
            )
        for sampled in (False, True):
            title = f"batch {batch}, {'sampling' if sampled else 'greedy'}, {options.length} tokens"
            figures[title] = measure(writers, prompts, options.length, sampled, options.rounds)
            report(title, figures[title])
    if options.json is not None:
        options.json.write_text(json.dumps({"machine": hardware, "figures": figures}, indent=1))


if __name__ == "__main__":
    main()
