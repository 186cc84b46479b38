// Files, text, numbers, times, hashes, random numbers, compression, local sockets.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"container/heap"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"math/big"
	mathrand "math/rand"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata"
	"unicode/utf8"
)

func check(condition bool, what string) {
	if !condition {
		panic("not so: " + what)
	}
}

type numbers []int

func (n numbers) Len() int           { return len(n) }
func (n numbers) Less(i, j int) bool { return n[i] < n[j] }
func (n numbers) Swap(i, j int)      { n[i], n[j] = n[j], n[i] }
func (n *numbers) Push(x any)        { *n = append(*n, x.(int)) }
func (n *numbers) Pop() any {
	last := (*n)[len(*n)-1]
	*n = (*n)[:len(*n)-1]
	return last
}

func largest[T int | float64](values ...T) T {
	best := values[0]
	for _, value := range values {
		if value > best {
			best = value
		}
	}
	return best
}

func files() {
	root, err := os.MkdirTemp("", "tree")
	check(err == nil && strings.HasPrefix(root, "/tmp/") && os.Chdir(root) == nil, "root")
	check(os.MkdirAll("deep/er", 0o755) == nil && os.WriteFile("a.txt", []byte(strings.Repeat("zeile\n", 20000)), 0o644) == nil, "write")
	check(os.Rename("a.txt", "b.txt") == nil && os.Symlink("b.txt", "link") == nil && os.Link("b.txt", "hard") == nil, "links")
	check(os.Chmod("hard", 0o640) == nil && os.Chown("hard", os.Getuid(), os.Getgid()) == nil && os.Chtimes("hard", time.Unix(1, 0), time.Unix(2, 0)) == nil, "modes")
	info, err := os.Stat("hard")
	check(err == nil && info.Size() == 120000 && info.ModTime().Unix() == 2 && info.Mode().Perm() == 0o640, "stat")
	count := 0
	filepath.WalkDir(".", func(string, fs.DirEntry, error) error { count++; return nil })
	check(count == 6, "walk")
	file, err := os.OpenFile("data", os.O_RDWR|os.O_CREATE, 0o600)
	check(err == nil, "open")
	fmt.Fprint(file, "hello world")
	part := make([]byte, 5)
	_, err = file.ReadAt(part, 6)
	check(err == nil && string(part) == "world" && file.Truncate(5) == nil && file.Sync() == nil, "data")
	check(syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil, "flock")
	mapped, err := syscall.Mmap(int(file.Fd()), 0, 5, syscall.PROT_READ, syscall.MAP_SHARED)
	check(err == nil && string(mapped) == "hello" && syscall.Munmap(mapped) == nil, "mmap")
	source, _ := os.Open("b.txt")
	target, _ := os.Create("copy")
	copied, err := io.Copy(target, source)
	check(err == nil && copied == 120000 && source.Close() == nil && target.Close() == nil && file.Close() == nil, "copy")
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zipped)
	archive.WriteHeader(&tar.Header{Name: "x", Size: 1, Mode: 0o600})
	archive.Write([]byte("x"))
	archive.Close()
	zipped.Close()
	unzipped, _ := gzip.NewReader(&packed)
	header, err := tar.NewReader(unzipped).Next()
	check(err == nil && header.Name == "x", "tar")
	_, err = os.Create("/usr/x")
	check(err != nil && os.RemoveAll(root) == nil, "remove")
}

func sockets() {
	server, err := net.Listen("unix", "/tmp/server")
	check(err == nil, "listen")
	go http.Serve(server, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "path %s", r.URL.Path) }))
	client := http.Client{Transport: &http.Transport{Dial: func(string, string) (net.Conn, error) { return net.Dial("unix", "/tmp/server") }}}
	response, err := client.Get("http://local/a")
	check(err == nil, "get")
	body, _ := io.ReadAll(response.Body)
	check(string(body) == "path /a", "body")
	left, right := net.Pipe()
	go fmt.Fprintln(left, "pipe")
	line, _ := bufio.NewReader(right).ReadString('\n')
	check(line == "pipe\n", "pipe")
}

func main() {
	files()
	sockets()
	var decoded map[string]any
	encoded, _ := json.Marshal(map[string]any{"ä": []any{1.0, nil, true}})
	check(json.Unmarshal(encoded, &decoded) == nil && reflect.DeepEqual(decoded["ä"], []any{1.0, nil, true}), "json")
	check(regexp.MustCompile(`(\w+)@(\w+)`).ReplaceAllString("me@home you@work", "$2 at $1") == "home at me work at you", "regexp")
	var page strings.Builder
	check(template.Must(template.New("t").Parse("<b>{{.}}</b>")).Execute(&page, "<>") == nil && page.String() == "<b>&lt;&gt;</b>", "template")
	rows, err := csv.NewReader(strings.NewReader("a,\"b \"\"c\"\"\",3\n")).ReadAll()
	check(err == nil && rows[0][1] == `b "c"` && utf8.RuneCountInString("ü") == 1 && strings.ToUpper("ü") == "Ü", "text")
	check(new(big.Int).Exp(big.NewInt(3), big.NewInt(5000), big.NewInt(1000007)).Sign() > 0 && largest(1, 3, 2) == 3, "big")
	berlin, err := time.LoadLocation("Europe/Berlin")
	check(err == nil && time.Unix(1719828000, 0).In(berlin).Format("Monday 15:04 MST") == "Monday 12:00 CEST", "zone")
	digest := sha256.Sum256(nil)
	check(strings.HasPrefix(hex.EncodeToString(digest[:]), "e3b0c442") && base64.StdEncoding.EncodeToString([]byte("x")) == "eA==", "sha256")
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(err == nil && ed25519.Verify(public, []byte("m"), ed25519.Sign(private, []byte("m"))), "ed25519")
	block, _ := aes.NewCipher(make([]byte, 32))
	sealed, _ := cipher.NewGCM(block)
	check(len(sealed.Seal(nil, make([]byte, 12), []byte("secret"), nil)) == 22, "aes")

	values := make([]float64, 500000)
	for i := range values {
		values[i] = mathrand.Float64()
	}
	sort.Float64s(values)
	check(sort.Float64sAreSorted(values), "sort")
	queue := &numbers{5, 2, 8}
	heap.Init(queue)
	check(heap.Pop(queue).(int) == 2, "heap")
	table := map[int]string{}
	for i := 0; i < 300000; i++ {
		table[i] = fmt.Sprint(i)
	}
	runtime.GC()
	debug.FreeOSMemory()
	check(len(table) == 300000 && runtime.NumCPU() >= 1 && len(debug.Stack()) > 0, "table")
	var deep func(int) int
	deep = func(n int) int {
		if n == 0 {
			return 0
		}
		return 1 + deep(n-1)
	}
	check(deep(100000) == 100000, "deep")
	defer func() {
		check(recover() != nil, "recover")
		name, _ := os.Hostname()
		me, err := user.Current()
		check(name == "caisson" && err == nil && me.Username == "box" && os.Getenv("HOME") == "/box", "me")
		fmt.Println("ok")
	}()
	var nothing map[string]int
	nothing["x"] = 1
}
