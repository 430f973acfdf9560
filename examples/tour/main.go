// Tour shows in a few lines what an ordinary Go program has where it runs:
// goroutines, maps, JSON, garbage collection, recovered faults, cryptography.
// It checks each result and exits with 1 if one is wrong.
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

func main() {
	began := time.Now()
	for _, stop := range []struct {
		name string
		show func() (string, error)
	}{
		{"goroutines", goroutines},
		{"maps", maps},
		{"json", jsonRoundTrip},
		{"collector", collector},
		{"nil", nilDereference},
		{"crypto", crypto},
	} {
		text, err := stop.show()
		if err != nil {
			fmt.Printf("%-11s FAILED: %v\n", stop.name, err)
			os.Exit(1)
		}
		fmt.Printf("%-11s %s\n", stop.name, text)
	}
	fmt.Printf("%-11s %s %s/%s, %d CPU, toured in %v\n", "done",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Since(began).Round(time.Millisecond))
}

// goroutines sums numbers in many goroutines that answer over one channel.
func goroutines() (string, error) {
	const workers, each = 100, 1000
	parts := make(chan int)
	for w := range workers {
		go func() {
			sum := 0
			for i := range each {
				sum += w*each + i
			}
			parts <- sum
		}()
	}
	sum := 0
	for range workers {
		sum += <-parts
	}
	if want := workers * each * (workers*each - 1) / 2; sum != want {
		return "", fmt.Errorf("sum is %d, want %d", sum, want)
	}
	return fmt.Sprintf("%d of them summed %d numbers over one channel: %d", workers, workers*each, sum), nil
}

// maps counts words under a lock from several goroutines.
func maps() (string, error) {
	text := strings.Fields("a machine is a network of cores and a core is an island with a kernel of its own")
	counts := make(map[string]int)
	var lock sync.Mutex
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, word := range text {
				lock.Lock()
				counts[word]++
				lock.Unlock()
			}
		})
	}
	group.Wait()
	if counts["a"] != 16 || len(counts) != 14 {
		return "", fmt.Errorf("counted %v", counts)
	}
	return fmt.Sprintf("%d distinct words, \"island\" %d times", len(counts), counts["island"]), nil
}

// jsonRoundTrip encodes a value, decodes the text, and compares.
func jsonRoundTrip() (string, error) {
	type island struct {
		Is    string   `json:"is"`
		Owns  []string `json:"owns"`
		Share float64  `json:"shares"`
	}
	sent := island{"island", []string{"kernel", "heap", "collector"}, 0}
	text, err := json.Marshal(sent)
	if err != nil {
		return "", err
	}
	var got island
	if err := json.Unmarshal(text, &got); err != nil {
		return "", err
	}
	if fmt.Sprint(got) != fmt.Sprint(sent) {
		return "", fmt.Errorf("%v came back as %v", sent, got)
	}
	return string(text) + " and back", nil
}

// collector makes garbage around a list that must survive it.
func collector() (string, error) {
	type node struct {
		next  *node
		value int
	}
	var list *node
	for i := range 1000 {
		list = &node{list, i}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 3 {
		for range 500 {
			sink = make([]byte, 4096)
		}
		runtime.GC()
	}
	runtime.ReadMemStats(&after)
	sum := 0
	for n := list; n != nil; n = n.next {
		sum += n.value
	}
	if sum != 999*1000/2 {
		return "", fmt.Errorf("the list sums to %d", sum)
	}
	return fmt.Sprintf("%d collections freed %d objects, %d KiB live", after.NumGC-before.NumGC, after.Frees-before.Frees, after.HeapAlloc>>10), nil
}

var sink []byte

// nilDereference reads through a nil pointer and recovers.
func nilDereference() (text string, err error) {
	defer func() {
		fault, ok := recover().(runtime.Error)
		if !ok {
			err = fmt.Errorf("no runtime error was raised")
			return
		}
		text = "recovered: " + strings.TrimPrefix(fault.Error(), "runtime error: ")
	}()
	var nowhere *struct{ field int }
	return fmt.Sprint(nowhere.field), nil
}

// crypto hashes, signs and verifies with keys from the system's randomness.
func crypto() (string, error) {
	sum := sha256.Sum256([]byte("skerry"))
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	signature := ed25519.Sign(private, sum[:])
	if !ed25519.Verify(public, sum[:], signature) {
		return "", fmt.Errorf("a good signature was refused")
	}
	signature[7] ^= 1
	if ed25519.Verify(public, sum[:], signature) {
		return "", fmt.Errorf("a bad signature was accepted")
	}
	return fmt.Sprintf("sha256 %x, ed25519 key %x signs and verifies", sum[:4], public[:4]), nil
}
