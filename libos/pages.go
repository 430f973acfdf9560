package main

import (
	"math/bits"

	"skerry/abi"
)

// The libos knows which pages of the program are mapped: it made every mapping
// itself. Two bits for each page of the program's address space say so, in a
// flat table that is touched only where there is something to say; one bit for
// each page of that table says whether it has ever been touched, so that
// looking for pages in large empty ranges is quick.
const (
	pageShift    = 12
	pagesPerWord = 32
	wordsPerLeaf = abi.PageSize / 8
	pagesPerLeaf = wordsPerLeaf * pagesPerWord // 64 MiB of addresses

	pagesBytes   = abi.ProgramTop / abi.PageSize / 4
	summaryBytes = abi.ProgramTop/abi.PageSize/pagesPerLeaf/8 + 8

	presentBit  = 1
	writableBit = 2
	presentBits = 0x5555_5555_5555_5555
)

// pageWord returns the word of the table in which a page's bits are.
func pageWord(page uint64) *uint64 { return at[uint64](heapPages + page/pagesPerWord*8) }

// leafWord returns the word of the summary with the bit of a leaf of the table.
func leafWord(leaf uint64) *uint64 { return at[uint64](heapSummary + leaf/64*8) }

// pageBits returns the bits of a page below ProgramTop.
func pageBits(page uint64) uint64 {
	leaf := page / pagesPerLeaf
	if *leafWord(leaf)>>(leaf%64)&1 == 0 {
		return 0
	}
	return *pageWord(page) >> (page % pagesPerWord * 2) & 3
}

// setPages sets the bits of pages [page, end).
func setPages(page, end, to uint64) {
	for page < end {
		leaf := page / pagesPerLeaf
		*leafWord(leaf) |= 1 << (leaf % 64)
		n := min(pagesPerWord-page%pagesPerWord, end-page)
		mask := ^uint64(0) >> (64 - 2*n) << (page % pagesPerWord * 2)
		w := pageWord(page)
		*w = *w&^mask | to*presentBits&mask
		page += n
	}
}

// presentRun finds the first run of mapped pages in [page, end). Both results
// are end if there is none.
func presentRun(page, end uint64) (first, after uint64) {
	first = findPage(page, end, 0)
	return first, findPage(first, end, presentBits)
}

// findPage returns the first page in [page, end) that is mapped, or, if flip is
// presentBits, that is not; end if there is none.
func findPage(page, end, flip uint64) uint64 {
	for page < end {
		leaf := page / pagesPerLeaf
		if *leafWord(leaf)>>(leaf%64)&1 == 0 {
			if flip != 0 {
				return page
			}
			page = (leaf + 1) * pagesPerLeaf
			continue
		}
		found := (*pageWord(page) ^ flip) & presentBits >> (page % pagesPerWord * 2) << (page % pagesPerWord * 2)
		if found != 0 {
			return min(page&^(pagesPerWord-1)+uint64(bits.TrailingZeros64(found))/2, end)
		}
		page = (page/pagesPerWord + 1) * pagesPerWord
	}
	return end
}
