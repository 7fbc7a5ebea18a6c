"""What calls cost: hardly more with many blocks, and no call much more than the others.

Instructions are exact and the same on every machine.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from playing import FREE, MALLOC, Drawing, Player, images, in_parts

from emu import allocators
from emu.process.process import Process

WORST, MERGING = 600, 250
"""A call; and a search more for each block but one that was freed since the last."""
GROWTH = 2.5


class Costs:
    """An allocator, and what each call cost."""

    def __init__(self, name):
        self.process = Process(allocators.find(name))
        self.spent = []

    def call(self, name, *args):
        returned = self.process.call(name, *args)
        self.spent.append(returned.instructions)
        return returned.result


def many_sizes(costs, count, random):
    """So many free blocks of different sizes; those that stand between them are in use."""
    sizes = random.sample(range(8, 8 * (count + 1), 8), count)
    blocks, between = [], []
    for size in sizes:
        blocks.append(costs.call("os_malloc", size))
        between.append(costs.call("os_malloc", 8))
    random.shuffle(blocks)
    for block in blocks:
        costs.call("os_free", block)
    return between


def test_no_call_with_ten_thousand_free_blocks_of_different_sizes_is_slow():
    """A search also makes one block of what was freed side by side since the last one."""
    drawing = Drawing(1, 1, [(1, 80_000), (1, 500)])
    costs, freed = Costs("indexed"), 0
    live = many_sizes(costs, 10_000, drawing.random)
    assert max(costs.spent) <= WORST
    for _ in range(4000):
        if drawing.random.random() < 0.5:
            live.append(costs.call("os_malloc", drawing._size()))
            most, freed = WORST + MERGING * max(0, freed - 1), 0
        else:
            costs.call("os_free", live.pop(drawing.random.randrange(len(live))))
            most, freed = WORST, freed + 1
        assert costs.spent[-1] <= most
    costs.process.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return images(tmp_path_factory.mktemp("player"), "osmem", "indexed")


def mean(image, live):
    """Instructions of a malloc or a free among so many live blocks."""
    player, drawing = Player(image, live + 1), Drawing(2, live, [(1, 1000)])
    for part in in_parts([*drawing.filling(), *drawing.emptying(0.1)]):
        player.play(part, every=len(part) + 1)
    calls = [call for call in drawing.calls(4000) if call[0] in (MALLOC, FREE)]
    nothing = [(FREE, live, 0, 0)] * len(calls)
    spent, playing = (cost(player, one) for one in (calls, nothing))
    player.process.close()
    return (spent - playing) / len(calls)


def cost(player, calls):
    before = player.process.cpu.counter.count
    player.play(calls, every=len(calls) + 1)
    return player.process.cpu.counter.count - before


def test_the_mean_hardly_grows_with_the_live_blocks(both):
    _, indexed = both
    most = 50_000 if settings.default.max_examples > 100 else 10_000
    assert mean(indexed, most) <= GROWTH * mean(indexed, 100)


def test_the_same_measure_sees_that_osmem_grows(both):
    osmem, _ = both
    assert mean(osmem, 1000) > GROWTH * mean(osmem, 100)
