// Command kernel is the CPU driver: what every core of a Skerry machine runs
// in ring 0, each its own copy. It is no Linux program: the image builder links
// it high, and boot brings it to life.
//
// Nothing imports it. It must never do more than put its parts together.
package main

import (
	"skerry/kernel/boot"
	"skerry/kernel/carry"
	"skerry/kernel/driver"
)

func main() {
	if err := boot.Start(); err != nil {
		carry.Stop(err.Error())
	}
	driver.New(boot.KCB()).Run()
}
