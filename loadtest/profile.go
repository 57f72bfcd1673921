package loadtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// profileTime is how long the CPU profiles run.
const profileTime = 10 * time.Second

// profile writes CPU, allocation, mutex and block profiles of each of the
// target's processes into a folder, in the middle of the edits.
func (t *target) profile(ctx context.Context, o *options, start time.Time, out io.Writer) {
	if o.pprof == "" || t.debug == "" {
		return
	}
	timer := time.NewTimer(time.Until(start.Add(o.editStart() + o.Duration/3)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	urls := []string{t.debug}
	if r, err := readDebug(t.debug); err == nil {
		urls = append(urls, r.Processes...)
	}
	if err := os.MkdirAll(o.pprof, 0o755); err != nil {
		fmt.Fprintf(out, "profiles: %s\n", err)
		return
	}
	var all sync.WaitGroup
	for i, u := range urls {
		for _, kind := range []string{fmt.Sprintf("profile?seconds=%d", int(profileTime.Seconds())), "allocs", "mutex", "block", "goroutine"} {
			all.Go(func() {
				name := filepath.Join(o.pprof, fmt.Sprintf("%d-%.7s.pprof", i, kind))
				if err := download(ctx, u+"/debug/pprof/"+kind, name); err != nil {
					fmt.Fprintf(out, "profiles: %s\n", err)
				}
			})
		}
	}
	all.Wait()
}

func download(ctx context.Context, url, name string) error {
	ctx, cancel := context.WithTimeout(ctx, profileTime+20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, response.Body)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
