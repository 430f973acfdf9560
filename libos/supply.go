package main

import (
	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/supply"
	"skerry/lib/urpc"
)

// supplier is the channel over which memory comes from the spawner, and its
// questions about threads; a core's monitor has none. While nothing is asked for,
// an announcement stands in it, so that what comes rings the doorbell.
var supplier urpc.Channel

// initSupply attaches the channel, if there is one.
func initSupply() {
	if at[abi.Info](abi.InfoBase).Flags&abi.InfoLog == 0 {
		supply.AttachProgram(&supplier)
		listenSupply()
	}
}

// requestRAM asks the spawner for a piece of RAM of that number and about that
// size in bytes, or for a frame, and waits until it says how large a one it has put
// there. The error is ErrQuota or ErrMemory.
func requestRAM(number uint32, size uint64, frame bool) (uint64, capability.Error) {
	kind := uint8(supply.Want)
	if frame {
		kind = supply.WantFrame
	}
	supplier.Withdraw()
	size, err := exchange(kind, number, size)
	listenSupply()
	return size, err
}

// exchange is requestRAM while no announcement stands.
func exchange(want uint8, number uint32, size uint64) (uint64, capability.Error) {
	if !sendSupply(want, supply.Piece{Number: number, Size: size}) {
		return 0, capability.ErrMemory
	}
	for {
		var given supply.Piece
		var payload [urpc.PayloadSize]byte
		kind, n, ok := receiveSupply(&payload)
		switch {
		case !ok:
			if !awaitSupply() {
				return 0, capability.ErrMemory
			}
		case kind == supply.Given && given.Get(payload[:], n) && given.Number == number:
			return given.Size, given.Error
		}
	}
}

// returnRAM tells the spawner that a piece has nothing made of it any more.
func returnRAM(number uint32) {
	supplier.Withdraw()
	sendSupply(supply.Back, supply.Piece{Number: number})
	listenSupply()
}

// listenSupply asks the spawner to ring the doorbell from now on. What has come
// already is poll's.
func listenSupply() {
	if !supplier.Announce() {
		dispatcher().HasWork = 1
	}
}

// receiveSupply takes the spawner's next message. A question about threads it
// leaves to poll: it may be called in the midst of anything.
func receiveSupply(payload *[urpc.PayloadSize]byte) (kind uint8, n int, ok bool) {
	for {
		kind, n, ok = supplier.Receive(payload)
		if !ok || kind != supply.List {
			return kind, n, ok
		}
		if question.listing.Get(payload[:], n) {
			question.asked = true
			dispatcher().HasWork = 1
		}
	}
}

// sendSupply sends a message, for whose room it may have to wait. It returns
// false if the spawner cannot be reached.
func sendSupply(kind uint8, p supply.Piece) bool {
	var payload [supply.PieceSize]byte
	p.Put(&payload)
	for !supplier.Send(kind, payload[:]) {
		var none [urpc.PayloadSize]byte
		if _, _, ok := receiveSupply(&none); !ok && !supplier.CanSend() && !awaitSupply() {
			return false
		}
	}
	if supplier.NeedsDoorbell() {
		notifySpawner()
	}
	return true
}

// awaitSupply gives up the core until there is something in the channel. It
// returns false if nothing can come.
func awaitSupply() bool {
	d := dispatcher()
	asleep := now()
	for !supplier.Pending() {
		if !supplier.Attached() || supplier.Broken() {
			return false
		}
		d.HasWork = 0
		if supplier.Announce() {
			native(abi.CallWait, 0, 0)
			supplier.Withdraw()
		}
	}
	clocks.idle += now() - asleep
	// Whatever else came meanwhile is poll's; a wait replaces the wake-up that
	// was asked for.
	d.HasWork, clocks.armed = 1, 0
	return true
}
