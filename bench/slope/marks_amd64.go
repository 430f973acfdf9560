package main

// Marks for a QEMU plugin that counts what the machine does between them, by
// instructions that do nothing else.

// markWarm has it begin to model caches.
func markWarm()

// markBegin has it count from here on, from 0.
func markBegin()

// markOne says that one operation has been done.
func markOne()

// markEnd has it stop and report.
func markEnd()
