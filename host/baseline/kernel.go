package baseline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"skerry/host/gobuild"
)

// Kernel returns the path of a distribution's Linux kernel in the cache. If
// there is none yet it downloads the package that the distribution's own
// package manager names, and unpacks it there without installing it; it says
// so on progress.
func Kernel(ctx context.Context, progress io.Writer) (string, error) {
	cache, err := gobuild.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "linux")
	if found, err := filepath.Glob(filepath.Join(dir, "vmlinuz-*")); err != nil {
		return "", err
	} else if len(found) > 0 {
		return found[len(found)-1], nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("folder for the Linux kernel: %w", err)
	}
	name, err := kernelPackage(ctx)
	if err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(dir, "unpack")
	if err != nil {
		return "", fmt.Errorf("folder for the Linux kernel: %w", err)
	}
	defer os.RemoveAll(work)
	fmt.Fprintf(progress, "downloading the package %s for its kernel (about 70 MB, once; it is not installed)\n", name)
	if err := command(ctx, work, "apt-get", "download", name); err != nil {
		return "", err
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(packages) == 0 {
		return "", fmt.Errorf("apt-get download %s left no package", name)
	}
	if err := command(ctx, work, "dpkg", "-x", packages[0], "."); err != nil {
		return "", err
	}
	kernels, err := filepath.Glob(filepath.Join(work, "boot", "vmlinuz-*"))
	if err != nil || len(kernels) == 0 {
		return "", fmt.Errorf("the package %s holds no kernel", name)
	}
	path := filepath.Join(dir, filepath.Base(kernels[0]))
	if err := os.Rename(kernels[0], path); err != nil {
		return "", fmt.Errorf("keep the Linux kernel: %w", err)
	}
	return path, nil
}

// metapackages depend on the current kernel: Debian's and Ubuntu's.
var metapackages = []string{"linux-image-amd64", "linux-image-generic"}

var kernelDependency = regexp.MustCompile(`Depends: (linux-image-[0-9]\S+)`)

// kernelPackage asks the package manager for the name of the package that
// holds the distribution's current kernel.
func kernelPackage(ctx context.Context) (string, error) {
	var last error
	for _, meta := range metapackages {
		text, err := exec.CommandContext(ctx, "apt-cache", "depends", meta).Output()
		if match := kernelDependency.FindSubmatch(text); match != nil {
			return string(match[1]), nil
		}
		last = err
	}
	if last == nil {
		last = errors.New("no package depends on a kernel")
	}
	return "", fmt.Errorf("find the distribution's kernel by apt-cache (Debian and Ubuntu have it; elsewhere put a bzImage into the cache as linux/vmlinuz-NAME): %w", last)
}

// command runs a command in dir; its output is part of the error.
func command(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	if text, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", c, err, bytes.TrimSpace(text))
	}
	return nil
}
