package main

import (
	"skerry/kernel/boot"
	"skerry/kernel/console"
	"skerry/kernel/amd64"
)

func main() {
	println("hello from the kernel")
	if err := boot.Start(); err != nil {
		println("boot:", err.Error())
	}
	m := map[string]int{}
	for i := range 100000 {
		m[string(rune(i))] = i
	}
	println("cores:", boot.KCB().Machine.Cores, len(m), boot.KCB().Pages.Available())
	if len(m) == 3 {
	}
	for {
		amd64.Idle()
		for amd64.TakePending() >= 0 {
			amd64.EOI()
		}
		if boot.KCB().Machine.Core == 0 {
			console.Collect(boot.KCB().Machine.Cores)
		}
	}
}
