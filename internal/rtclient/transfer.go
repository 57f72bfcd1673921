package rtclient

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// transferAttempts and transferTimeout bound an HTTP upload or download: 50 MB
// over a slow line take minutes.
const (
	transferAttempts = 3
	transferTimeout  = 5 * time.Minute
	// maxDownload bounds what a server may make this client fetch; it is above
	// the largest document a checkpoint would store.
	maxDownload = 1 << 30
)

// uploadOffered puts the bytes of a large submit where the server says and
// then commits it.
func (c *Client) uploadOffered(m *protocol.UploadOffer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.out.find(m.ID)
	if p == nil || !p.large || p.uploading || p.upload != "" || c.closed {
		return
	}
	p.uploading = true
	c.readers.Add(1)
	go func() {
		defer c.readers.Done()
		err := c.put(m, p.update)
		c.uploaded(p, m.Upload, err)
	}()
}

// uploaded commits, or plans to ask again when the upload failed.
func (c *Client) uploaded(p *pending, upload string, err error) {
	c.mu.Lock()
	p.uploading = false
	now := c.opt.Clock.Now()
	if err != nil {
		p.resendAt = now.Add(c.backoff() + c.opt.Times.BackoffBase)
		c.arm(p.resendAt)
		c.mu.Unlock()
		return
	}
	p.upload = upload
	p.resendAt = now.Add(c.opt.Times.AckTimeout)
	c.arm(p.resendAt)
	l, commit := c.readyLink(), p.message()
	c.mu.Unlock()
	if l != nil {
		_ = c.write(l, commit) // it is sent again on the next connection
	}
}

// put makes the HTTP PUT of an upload offer.
func (c *Client) put(m *protocol.UploadOffer, data []byte) error {
	return c.attempt(func(client *http.Client) error {
		req, err := http.NewRequestWithContext(c.ctx, http.MethodPut, m.URL, bytes.NewReader(data))
		if err != nil {
			return err
		}
		for _, h := range m.Headers {
			req.Header.Set(h.Name, h.Value)
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
		if resp.StatusCode/100 != 2 {
			return fmt.Errorf("upload: HTTP status %d", resp.StatusCode)
		}
		return nil
	})
}

// get downloads size bytes and checks their hash.
func (c *Client) get(url string, size uint64, hash [32]byte) (data []byte, err error) {
	if size > maxDownload {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, size)
	}
	err = c.attempt(func(client *http.Client) error {
		req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("download: HTTP status %d", resp.StatusCode)
		}
		// One byte more than was announced, to notice when there is more.
		if data, err = io.ReadAll(io.LimitReader(resp.Body, int64(size)+1)); err != nil {
			return err
		}
		if uint64(len(data)) != size || sha256.Sum256(data) != hash {
			return errors.New("download: not the bytes that were announced")
		}
		return nil
	})
	return data, err
}

// attempt tries an HTTP exchange a few times.
func (c *Client) attempt(exchange func(*http.Client) error) error {
	client := *c.opt.HTTPClient
	client.Timeout = transferTimeout
	var err error
	for range transferAttempts {
		if err = exchange(&client); err == nil || c.ctx.Err() != nil {
			break
		}
	}
	return err
}

// broadcastByURL fetches an update that was too large for a message.
func (c *Client) broadcastByURL(l *link, m *protocol.BroadcastByURL) {
	if c.arrivedBefore(m.Seq) {
		return
	}
	c.fetch(l, m.URL, m.Size, m.SHA256, func(data []byte) error {
		if err := c.take(m.Seq, data); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if l == c.link || l == c.old {
			c.arrived(m.Seq)
		}
		return nil
	})
}

// snapshotByURL fetches everything through a number. The welcome or range it
// belongs to counts only once it is here. A snapshot that cannot be had, behind a
// proxy that knows only the API say, is asked for in another way: hello said
// again on the same connection is answered in pieces (docs/PROTOCOL.md).
func (c *Client) snapshotByURL(l *link, m *protocol.SnapshotByURL) {
	c.fetchOr(l, m.URL, m.Size, m.SHA256, func(data []byte) error { return c.take(m.Seq, data) }, c.lack)
}

// lack says hello again, once for each connection. It reports false when that
// is not possible.
func (c *Client) lack(l *link) bool {
	c.mu.Lock()
	if c.closed || l.lacked || l != c.link && l != c.next {
		c.mu.Unlock()
		return false
	}
	l.lacked, l.held = true, 0
	if !l.ready {
		l.lacks = true
		c.mu.Unlock()
		return true
	}
	c.unwelcome(l)
	c.mu.Unlock()
	_ = c.greet(l) // fails with the connection
	return true
}

// unwelcome makes l wait for a welcome. Called with mu held.
func (c *Client) unwelcome(l *link) {
	l.ready, l.lacks = false, false
	l.helloBy = c.opt.Clock.Now().Add(c.opt.Times.AckTimeout)
	c.arm(l.helloBy)
	c.synced = c.synced && l != c.link
}

// fetch downloads on a goroutine of its own and then hands the bytes to use.
// When it fails the connection is given up, so that the next resumes from what
// is certain.
func (c *Client) fetch(l *link, url string, size uint64, hash [32]byte, use func([]byte) error) {
	c.fetchOr(l, url, size, hash, use, func(*link) bool { return false })
}

// fetchOr is fetch, except that a download that fails is no reason to give the
// connection up when otherwise reports true.
func (c *Client) fetchOr(l *link, url string, size uint64, hash [32]byte, use func([]byte) error, otherwise func(*link) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	l.fetching++
	c.readers.Add(1)
	go func() {
		defer c.readers.Done()
		data, err := c.get(url, size, hash)
		if err == nil {
			c.deliver.Lock()
			err = use(data)
			c.deliver.Unlock()
		} else if err = fmt.Errorf("%w: %w", errFetch, err); otherwise(l) {
			err = nil
		}
		c.fetched(l, err)
	}()
}

func (c *Client) fetched(l *link, err error) {
	c.mu.Lock()
	l.fetching--
	l.failed = l.failed || err != nil
	if l == c.link && l.fetching == 0 && !l.failed {
		c.seq.advance(l.held)
		c.watchGap(c.opt.Times.GapPatience)
	}
	c.notify()
	c.mu.Unlock()
	if err != nil {
		c.abandon(l, err)
	}
}
