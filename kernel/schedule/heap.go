package schedule

// heap is a binary heap of entries, the one with the lowest key first. Among equals
// one that is pushed goes before, one whose key is fixed after the others, as far as
// they are on its way.
type heap struct {
	entries [MaxEntries]*Entry
	n       int
}

func (h *heap) first() *Entry { return h.entries[0] }

// push adds an entry, which must be in no heap.
func (h *heap) push(e *Entry, key int64) {
	e.key = key
	h.place(h.n, e)
	h.n++
	h.rise(h.n - 1)
}

// remove takes out an entry, which must be in this heap.
func (h *heap) remove(e *Entry) {
	p := int(e.position)
	h.n--
	last := h.entries[h.n]
	h.entries[h.n] = nil
	if last != e {
		h.place(p, last)
		h.sink(h.rise(p))
	}
}

// fix gives an entry of this heap another key.
func (h *heap) fix(e *Entry, key int64) {
	e.key = key
	p := int(e.position)
	if h.sink(p) == p {
		h.rise(p)
	}
}

// second returns the lowest key but that of the first, of at least two.
func (h *heap) second() int64 {
	key := h.entries[1].key
	if h.n > 2 {
		key = min(key, h.entries[2].key)
	}
	return key
}

func (h *heap) place(p int, e *Entry) {
	h.entries[p] = e
	e.position = int32(p)
}

func (h *heap) rise(p int) int {
	e := h.entries[p]
	for p > 0 {
		up := (p - 1) / 2
		if h.entries[up].key < e.key {
			break
		}
		h.place(p, h.entries[up])
		p = up
	}
	h.place(p, e)
	return p
}

func (h *heap) sink(p int) int {
	e := h.entries[p]
	for {
		c := 2*p + 1
		if c >= h.n {
			break
		}
		if c+1 < h.n && h.entries[c+1].key < h.entries[c].key {
			c++
		}
		if e.key < h.entries[c].key {
			break
		}
		h.place(p, h.entries[c])
		p = c
	}
	h.place(p, e)
	return p
}
