package main

import (
	"skerry/abi"
	"skerry/abi/linux"
	"skerry/carrier"
	"skerry/lib/supply"
	"skerry/lib/urpc"
)

// question is what the spawner has asked about threads, if it has not been
// answered.
var question struct {
	asked   bool
	listing supply.Listing
}

// pollSupply answers what the spawner has asked. It must not run in the midst of
// a change to the threads.
func pollSupply() {
	if !question.asked && !supplier.Pending() {
		return
	}
	supplier.Withdraw()
	for {
		// Answers to requests for memory are of older ones.
		var payload [urpc.PayloadSize]byte
		for {
			if _, _, ok := receiveSupply(&payload); !ok {
				break
			}
		}
		listThreads()
		if supplier.Announce() {
			break
		}
	}
	if supplier.NeedsDoorbell() {
		notifySpawner()
	}
}

// spare is room for what else is sent while an answer is: its end, and a request for
// memory, which the table of threads may need where it has not been looked at yet.
const spare = 4

// listThreads answers the question with a part of the table of threads. If there
// is no room for that, the question stays: when the spawner has read what fills
// the channel, its acknowledgement rings the doorbell.
func listThreads() {
	if !question.asked || supplier.Free() < supply.ListMost+spare {
		return
	}
	question.asked = false
	end := supply.Listing{Query: question.listing.Query}
	sent := 0
	for i := question.listing.Next; i < uint32(threads.Used()); i++ {
		th := threads.At(carrier.Index(i))
		if th.State() == carrier.Free {
			continue
		}
		if sent == supply.ListMost {
			end.Next = i
			break
		}
		var payload [supply.ThreadSize]byte
		d := describe(th)
		d.Query = end.Query
		d.Put(&payload)
		supplier.Send(supply.ThreadIs, payload[:])
		sent++
	}
	var payload [supply.ListingSize]byte
	end.Put(&payload)
	supplier.Send(supply.Listed, payload[:])
}

// waitKey returns what a blocked thread waits for.
func waitKey(th *carrier.Thread) uint64 {
	if spanned.on {
		if slot := slotOf(th); passengerAt(slot).waits {
			return spanned.frame.Key(slot)
		}
	}
	return th.Key()
}

// describe says what a thread is doing.
func describe(th *carrier.Thread) supply.Thread {
	d := supply.Thread{
		ID: uint32(th.ID), CPU: at[abi.Info](abi.InfoBase).Dispatcher,
		Policy: th.Policy &^ policyReset, Priority: th.Level(), Nice: th.Nice, Name: th.Name,
	}
	switch th.State() {
	case carrier.Running:
		d.State = supply.Running
	case carrier.Ready:
		d.State = supply.Ready
	case carrier.Aside:
		d.State, d.Wait = supply.Blocked, supply.WaitPeer
	case carrier.Blocked:
		d.State = supply.Blocked
		d.Deadline = th.Deadline
		switch key := waitKey(th); {
		case key == 0:
			d.Wait = supply.WaitTime
		case key&fileKey != 0:
			call := &callOf(th).call
			d.Wait, d.Call, d.Object = supply.WaitFile, uint16(call.Number), call.Args[0]
		default:
			d.Wait, d.Call, d.Object = supply.WaitFutex, linux.SysFutex, key
		}
	}
	return d
}
