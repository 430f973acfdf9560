// Package machine tests Skerry by booting it: what programs see, what ends
// them, what kernels do when they end, and what each kernel has mapped.
package machine
