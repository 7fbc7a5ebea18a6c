"""Memory without an emulator: a dictionary of pages, which shows what the kernel makes of it."""

from __future__ import annotations

from syscalls.abi import PAGE


class PagedMemory:
    """syscalls.memory.Memory. told: what the kernel said of contents and rights."""

    def __init__(self):
        self.contents = {}
        self.shown = {}
        self.zeros = set()
        self.frames = {}
        self.told = []

    def read(self, address, size):
        data = bytearray()
        while len(data) < size:
            page, offset = divmod(address + len(data), PAGE)
            data += self._page(page * PAGE)[offset : offset + size - len(data)]
        return bytes(data)

    def write(self, address, data):
        while data:
            page = address & -PAGE
            if page not in self.shown and page not in self.contents:
                self.own(page)
            offset = address - page
            part = data[: PAGE - offset]
            self._page(page)[offset : offset + len(part)] = part
            address, data = address + len(part), data[len(part) :]

    def _page(self, page):
        if page in self.shown:
            return self.frames[self.shown[page]]
        return self.contents.get(page, bytes(PAGE))

    def discard(self, start, end):
        self.told.append(("discard", start, end))
        for pages in (self.contents, self.shown):
            for page in [page for page in pages if start <= page < end]:
                del pages[page]
        self.zeros = {page for page in self.zeros if not start <= page < end}

    def rights_changed(self, start, end):
        self.told.append(("rights", start, end))

    def move(self, start, end, to):
        for pages in (self.contents, self.shown):
            moved = {page: pages.pop(page) for page in list(pages) if start <= page < end}
            pages.update({page - start + to: what for page, what in moved.items()})
        moved = {page for page in self.zeros if start <= page < end}
        self.zeros = self.zeros - moved | {page - start + to for page in moved}

    def holds(self, page):
        return page in self.contents

    def resident(self, start, end):
        return [p for p in {*self.contents, *self.shown, *self.zeros} if start <= p < end]

    def see(self, page):
        self.zeros.add(page)

    def own(self, page, frame=None):
        if page not in self.contents:
            self.contents[page] = bytearray(PAGE if frame is None else self.frames[frame])
        self.shown.pop(page, None)
        self.zeros.discard(page)

    def show(self, page, frame):
        self.shown[page] = frame

    def new_frame(self, data):
        frame = 1 << 48 | len(self.frames) * PAGE
        self.frames[frame] = bytearray(data.ljust(PAGE, b"\0"))
        return frame

    def frame_bytes(self, frame):
        return bytes(self.frames[frame])

    def refill(self, frame, data):
        self.frames[frame][: len(data)] = data

    def hide(self, frames):
        self.shown = {page: frame for page, frame in self.shown.items() if frame not in frames}

    def free_frame(self, frame):
        assert frame not in self.shown.values(), "a page shows a frame that nobody owns"
        self.frames[frame] = None

    def frames_held(self):
        """How many frames somebody needs."""
        return sum(data is not None for data in self.frames.values())
