package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var errMissing = errors.New("missing")

// The largest file of a database: a data tile of 256 long records.
const mostBytes = 8 << 20

// A place has the files of a database: a folder, or an http server.
type place struct {
	folder string
	base   *url.URL
	client *http.Client
}

func newPlace(text string) *place {
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
		info, err := os.Stat(text)
		if err != nil || !info.IsDir() {
			fail(fmt.Errorf("-db: there is no folder %q", text))
		}
		return &place{folder: text}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &place{
		base: must(url.Parse(strings.TrimSuffix(text, "/"))),
		client: &http.Client{
			Transport:     transport,
			Timeout:       time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// read returns the file at a path such as "tile/8/0/000". The error is errMissing when it is not there.
func (p *place) read(path string) ([]byte, error) {
	if p.base == nil {
		data, err := os.ReadFile(filepath.Join(p.folder, filepath.FromSlash(path)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errMissing
		}
		return data, err
	}
	at := *p.base
	at.Path += "/" + path
	resp, err := p.client.Get(at.String())
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone {
		io.Copy(io.Discard, io.LimitReader(resp.Body, mostBytes))
		return nil, errMissing
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("HTTP %s", resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, mostBytes))
}

// walk calls visit with the path of each file below under. A server does not list its files.
func (p *place) walk(under string, visit func(path string)) {
	if p.base != nil {
		return
	}
	filepath.WalkDir(filepath.Join(p.folder, under), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		relative, _ := filepath.Rel(p.folder, path)
		visit(filepath.ToSlash(relative))
		return nil
	})
}
