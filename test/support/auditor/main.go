// An auditor of a checksum database that is a folder of files, on go's own packages: golang.org/x/mod/sumdb and its tlog,
// note and dirhash.
//
//	auditor audit -key KEY -db FOLDER|URL …     reads and proves everything; names each wrong file on a line of its own
//	auditor generate -out FOLDER -size N …      makes a database of N records as files, for tests of the auditor
//	auditor sign -secret KEY -size N -root R    prints a signed head of that root, whatever the log has
//
// The exit code is 0 when all is well, 1 when something is wrong with the database, 2 when nothing could be said of it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, "auditor:", err)
	os.Exit(2)
}

func must[T any](value T, err error) T {
	if err != nil {
		fail(err)
	}
	return value
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("audit, generate or sign is expected"))
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	switch os.Args[1] {
	case "audit":
		runAudit(flags)
	case "generate":
		runGenerate(flags)
	case "sign":
		secret := flags.String("secret", "", "the secret key")
		size := flags.Int64("size", 0, "records")
		root := flags.String("root", "", "the root in base64")
		flags.Parse(os.Args[2:])
		signer := must(note.NewSigner(*secret))
		os.Stdout.Write(signHead(signer, tlog.Tree{N: *size, Hash: must(tlog.ParseHash(*root))}))
	default:
		fail(fmt.Errorf("there is no %q", os.Args[1]))
	}
}

func signHead(signer note.Signer, tree tlog.Tree) []byte {
	return must(note.Sign(&note.Note{Text: string(tlog.FormatTree(tree))}, signer))
}

type result struct {
	Problems []string `json:"problems"`
	Size     int64    `json:"size"`
	Root     string   `json:"root"`
	Heads    int      `json:"heads"`
	Versions int      `json:"versions"`
	Lookups  int      `json:"lookups"`
}

func runAudit(flags *flag.FlagSet) {
	key := flags.String("key", "", "the verifier key")
	db := flags.String("db", "", "the database: its folder, or its URL")
	tree := flags.String("tree", "", "the folder go/ of the owner: every version there is compared with its record")
	state := flags.String("state", "", "the folder with heads and records: they are compared, and every width that a head names is asked for")
	memory := flags.String("memory", "", "the file that remembers the last head")
	moving := flags.Bool("moving", false, "the database grows meanwhile")
	disabled := flags.Bool("disabled", false, "the database has no file supported")
	clients := flags.Int("clients", 600, "lookups by each kind of client, at most; 0 is none")
	asJSON := flags.Bool("json", false, "print one object")
	flags.Parse(os.Args[2:])

	verifier, err := note.NewVerifier(*key)
	if err != nil {
		fail(fmt.Errorf("-key: %v", err))
	}
	a := &auditor{
		key: *key, verifier: verifier, db: newPlace(*db), treeDir: *tree, stateDir: *state, memory: *memory,
		moving: *moving, disabled: *disabled, clients: *clients,
		names: map[string]int64{}, heads: map[int64]seenHead{}, seen: map[string]bool{},
	}
	a.audit()
	done := result{
		Problems: a.problems, Size: a.latest.N, Root: a.latest.Hash.String(),
		Heads: len(a.heads), Versions: a.versions, Lookups: a.lookups,
	}
	if *asJSON {
		if done.Problems == nil {
			done.Problems = []string{}
		}
		json.NewEncoder(os.Stdout).Encode(done)
	} else {
		for _, problem := range a.problems {
			fmt.Println(problem)
		}
		fmt.Printf("size %d root %s: %d heads, %d versions, %d lookups by clients\n",
			done.Size, done.Root, done.Heads, done.Versions, done.Lookups)
	}
	if len(a.problems) > 0 {
		os.Exit(1)
	}
}
