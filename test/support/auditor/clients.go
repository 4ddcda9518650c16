package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb"
)

// What a client keeps: its configuration and its cache, in memory.
type kept struct {
	mu     sync.Mutex
	config map[string][]byte
	cache  map[string][]byte
}

func newKept() *kept { return &kept{config: map[string][]byte{}, cache: map[string][]byte{}} }

// ops is what x/mod's client asks of the world.
type ops struct {
	a *auditor
	*kept
}

func (o ops) ReadRemote(path string) ([]byte, error) {
	path = strings.TrimPrefix(path, "/")
	data, err := o.a.db.read(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

func (o ops) ReadConfig(file string) ([]byte, error) {
	if file == "key" {
		return []byte(o.a.key), nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.config[file], nil
}

func (o ops) WriteConfig(file string, old, new []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !bytes.Equal(o.config[file], old) {
		return sumdb.ErrWriteConflict
	}
	o.config[file] = new
	return nil
}

func (o ops) ReadCache(file string) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	data, ok := o.cache[file]
	if !ok {
		return nil, errMissing
	}
	return data, nil
}

func (o ops) WriteCache(file string, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cache[file] = data
}

func (o ops) Log(string)           {}
func (o ops) SecurityError(string) {} // the client returns ErrSecurity, too

// newClient is a go command that begins with what is kept.
func (a *auditor) newClient(k *kept) *sumdb.Client { return sumdb.NewClient(ops{a, k}) }

// ask lets a client look a version up, and compares the lines with the record.
func (a *auditor) ask(client *sumdb.Client, text []byte) error {
	s, err := parseSums(text)
	if err != nil {
		return err
	}
	for _, want := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		lines, err := client.Lookup(s.module, strings.Split(want, " ")[1])
		if err != nil {
			return err
		}
		if len(lines) != 1 || lines[0] != want {
			return fmt.Errorf("a client got %q, not %q", lines, want)
		}
	}
	return nil
}

// sample are the numbers of records that clients ask for: the first and last ones, those beside full tiles, and others.
func (a *auditor) sample() []int {
	all := rand.Perm(len(a.records))
	if len(all) <= a.clients {
		return all
	}
	chosen := map[int]bool{}
	var ids []int
	for _, id := range append([]int{0, 1, 254, 255, 256, 257, 65535, 65536, len(all) - 2, len(all) - 1}, all...) {
		if len(ids) < a.clients && id < len(all) && !chosen[id] {
			chosen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

const atOnce = 32

// askByClients lets go's own client look records up in four ways.
func (a *auditor) askByClients() {
	var mu sync.Mutex
	look := func(client *sumdb.Client, id int, how string) {
		err := a.ask(client, a.records[id])
		mu.Lock()
		defer mu.Unlock()
		a.lookups++
		if err != nil {
			s, _ := parseSums(a.records[id])
			a.wrong(lookupPath(s), "%s: %v", how, err)
		}
	}
	each := func(work func(id int)) {
		for _, id := range a.sample() {
			work(id)
		}
	}
	// each time a machine that never asked before
	each(func(id int) { look(a.newClient(newKept()), id, "a fresh client") })
	// one go command
	one := a.newClient(newKept())
	each(func(id int) { look(one, id, "one client for all") })
	// one go command after the other on a machine, which keeps its cache, and began at the head of the last audit
	machine := newKept()
	if msg, err := os.ReadFile(a.memory); a.memory != "" && !errors.Is(err, os.ErrNotExist) {
		machine.config[a.verifier.Name()+"/latest"] = must(msg, err)
	}
	each(func(id int) { look(a.newClient(machine), id, "a client with a cache") })
	// many at once
	many := a.newClient(newKept())
	ids := make(chan int)
	var wait sync.WaitGroup
	for range atOnce {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for id := range ids {
				look(many, id, "32 at once")
			}
		}()
	}
	each(func(id int) { ids <- id })
	close(ids)
	wait.Wait()
}
