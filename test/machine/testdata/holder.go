// Holder fills memory, says so, and waits for the end of its input:
//
//	holder MIB check   then looks whether all is as it was, and says so
//	holder MIB end     then makes native calls for ever
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"unsafe"

	"skerry/abi"
	"skerry/lib/native/raw"
)

func main() {
	size, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	const page = abi.PageSize
	held := make([]byte, size<<20)
	word := func(at int) *uint64 { return (*uint64)(unsafe.Pointer(&held[at])) }
	for at := 0; at < len(held); at += page {
		*word(at) = uint64(at) * 0x9e37_79b9
	}
	fmt.Println("holding")
	io.Copy(io.Discard, os.Stdin)
	for os.Args[2] == "end" {
		raw.Call(abi.CallNop, 0, 0, 0, 0, 0, 0)
	}
	for at := 0; at < len(held); at += page {
		if *word(at) != uint64(at)*0x9e37_79b9 {
			fmt.Printf("lost at %#x\n", at)
			os.Exit(1)
		}
	}
	fmt.Println("held")
}
