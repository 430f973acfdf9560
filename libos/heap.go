package main

import (
	"unsafe"

	"skerry/abi"
	"skerry/carrier"
	"skerry/libos/files"
	"skerry/libos/vspace"
)

// Where the libos keeps its tables: each has a place of its own in the heap,
// which package vspace backs where it is touched. So tables can be as large as
// they may ever get, and sparse. The first are close to each other, to share
// page tables.
const (
	heapThreads    = abi.LibosHeap
	heapPassengers = heapThreads + 1<<19
	heapFrame      = heapThreads + 1<<19 + 1<<18
	heapCalls      = heapThreads + 1<<20
	heapVectors    = heapThreads + 1<<21
	heapFiles      = heapThreads + 1<<22
	heapTables     = heapThreads + 1<<30
)

// maxThreads bounds the table of threads.
const maxThreads = abi.SpanThreads

// The tables fit between their places.
const (
	_ = uint(heapPassengers - heapThreads - maxThreads*carrier.ThreadSize)
	_ = uint(heapFrame - heapPassengers - maxThreads*passengerSize)
	_ = uint(heapCalls - heapFrame - frameSize)
	_ = uint(heapVectors - heapCalls - maxThreads*unsafe.Sizeof(fileCall{}))
	_ = uint(heapFiles - heapVectors - maxThreads*abi.VectorAreaSize)
	_ = uint(heapTables - heapFiles - files.Size)
	_ = uint(abi.LibosHeapEnd - heapTables - vspace.TablesSize)
)
