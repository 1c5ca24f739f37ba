// Reads texts and documents with go-spiffe, for comparing. A frame on standard input is a kind ('i' SPIFFE ID, 'b' bundle
// document), four bytes of length (big-endian) and the input; the answer on standard output is '+' and what was read, or
// '-' and the reason, with a length of the same form.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

func readID(text string) (string, error) {
	id, err := spiffeid.FromString(text)
	if err != nil {
		return "", err
	}
	return id.TrustDomain().Name() + " " + id.Path(), nil
}

func readBundle(document []byte) (string, error) {
	bundle, err := spiffebundle.Parse(spiffeid.RequireTrustDomainFromString("a.test"), document)
	if err != nil {
		return "", err
	}
	var kids []string
	for kid := range bundle.JWTAuthorities() {
		kids = append(kids, fmt.Sprintf("%q", kid))
	}
	sort.Strings(kids)
	sequence, _ := bundle.SequenceNumber()
	hint, _ := bundle.RefreshHint()
	roots := len(bundle.X509Authorities())
	return fmt.Sprintf("roots=%d kids=%s sequence=%d hint=%d", roots, strings.Join(kids, ","), sequence, int64(hint.Seconds())), nil
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	header := make([]byte, 5)
	for {
		if _, err := io.ReadFull(in, header); err != nil {
			return
		}
		input := make([]byte, binary.BigEndian.Uint32(header[1:]))
		if _, err := io.ReadFull(in, input); err != nil {
			return
		}
		var text string
		var err error
		if header[0] == 'i' {
			text, err = readID(string(input))
		} else {
			text, err = readBundle(input)
		}
		header[0] = '+'
		if err != nil {
			header[0], text = '-', err.Error()
		}
		binary.BigEndian.PutUint32(header[1:], uint32(len(text)))
		out.Write(header)
		out.WriteString(text)
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}
