package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/carrier"
	"skerry/libos/files"
)

// Where the libos keeps its tables: each has a place of its own in the heap,
// which the CPU driver backs where it is touched. So tables can be as large as
// they may ever get, and sparse.
const (
	heapThreads = abi.LibosHeap
	heapCalls   = heapThreads + 1<<24
	heapVectors = heapThreads + 2<<24
	heapRegions = heapThreads + 3<<24
	heapSummary = heapThreads + 4<<24
	heapPages   = heapThreads + 1<<34
	heapFiles   = heapThreads + 1<<36
)

// Bounds of the tables.
const (
	maxThreads = 512
	maxRegions = 65530 // as Linux's default
)

// The tables fit between their places.
const (
	_ = uint(heapCalls - heapThreads - maxThreads*carrier.ThreadSize)
	_ = uint(heapVectors - heapCalls - maxThreads*unsafe.Sizeof(fileCall{}))
	_ = uint(heapRegions - heapVectors - maxThreads*abi.VectorAreaSize)
	_ = uint(heapSummary - heapRegions - maxRegions*carrier.RegionSize)
	_ = uint(heapPages - heapSummary - summaryBytes)
	_ = uint(heapFiles - heapPages - pagesBytes)
	_ = uint(abi.ArchiveBase - heapFiles - files.Size)
)
