// streamload: many Generate streams at once, cheaply, and what they felt. One line of JSON.
//
//	streamload -addr 127.0.0.1:9090 -streams 500 -tokens 250
//	streamload -addr 127.0.0.1:9090 -streams 10000 -tokens 600 -spread 20s -slow 10 -conns 8
//
// It parses of each message only what it checks: its number, and of the first the time that the
// worker spent on it, so that first_us is the way alone: network and proxy, there and back. Slow
// clients (-slow, percent) ask for log-probabilities, so that there is much to read, and half of
// them read a message every two seconds, the other half stop reading after the tenth. They are cancelled
// when the others are done; slow_refused counts those that a server ended before (SLOW_READER).
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/encoding/protowire"
)

const method = "/sluice.v1.GenerationService/Generate"

// Field numbers of sluice/v1/generation.proto.
const (
	requestTokenIds, requestSampling, requestStopping, requestLogprobs = 4, 6, 9, 10
	responseSequence, responseStarted, responseFinished                = 1, 2, 6
	startedQueueNanos, startedPrefillNanos                             = 7, 8
)

const slowStopsAfter = 10
const slowPause = 2 * time.Second

// raw passes messages as they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return *(v.(*[]byte)), nil }
func (raw) Unmarshal(data []byte, v any) error {
	b := v.(*[]byte)
	*b = append((*b)[:0], data...)
	return nil
}
func (raw) Name() string { return "proto" }

// message appends a length-delimited field.
func message(to []byte, field protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), content)
}

func number(to []byte, field protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(to, field, protowire.VarintType), value)
}

// request is greedy, of random bytes, and has exactly so many tokens.
func request(random *rand.Rand, prompt, tokens int, slow bool) []byte {
	var ids []byte
	for range prompt {
		ids = protowire.AppendVarint(ids, uint64(random.Intn(256)))
	}
	greedy := protowire.AppendFixed32(protowire.AppendTag(nil, 1, protowire.Fixed32Type), math.Float32bits(0))
	stopping := number(number(nil, 1, uint64(tokens)), 6, 1) // max_tokens, ignore_eos
	r := message(nil, requestTokenIds, message(nil, 1, ids))
	r = message(r, requestSampling, greedy)
	r = message(r, requestStopping, stopping)
	if slow {
		r = message(r, requestLogprobs, number(nil, 1, 20)) // output
	}
	return r
}

// scan finds what is checked: the number of a message, whether it is the last, the worker's time.
func scan(m []byte) (sequence uint64, finished bool, workerNanos uint64) {
	for len(m) > 0 {
		field, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return 0, false, 0
		}
		m = m[n:]
		switch {
		case field == responseSequence && kind == protowire.VarintType:
			sequence, n = protowire.ConsumeVarint(m)
		case field == responseStarted && kind == protowire.BytesType:
			var started []byte
			started, n = protowire.ConsumeBytes(m)
			workerNanos = nanos(started)
		default:
			finished = finished || field == responseFinished
			n = protowire.ConsumeFieldValue(field, kind, m)
		}
		if n < 0 {
			return 0, false, 0
		}
		m = m[n:]
	}
	return
}

func nanos(started []byte) (sum uint64) {
	for len(started) > 0 {
		field, kind, n := protowire.ConsumeTag(started)
		if n < 0 {
			return 0
		}
		started = started[n:]
		if (field == startedQueueNanos || field == startedPrefillNanos) && kind == protowire.VarintType {
			var v uint64
			v, n = protowire.ConsumeVarint(started)
			sum += v
		} else {
			n = protowire.ConsumeFieldValue(field, kind, started)
		}
		if n < 0 {
			return 0
		}
		started = started[n:]
	}
	return
}

// felt is what one stream saw.
type felt struct {
	messages int
	first    time.Duration // less the worker's time
	gaps     []int32       // microseconds
	failure  string
}

func stream(ctx context.Context, conn *grpc.ClientConn, req []byte, slow int) (f felt) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
	if err != nil {
		f.failure = err.Error()
		return
	}
	begin := time.Now()
	if err := s.SendMsg(&req); err != nil && err != io.EOF {
		f.failure = err.Error()
		return
	}
	s.CloseSend()
	var m []byte
	var last time.Time
	ended := false
	for {
		if slow == 1 && f.messages > slowStopsAfter {
			<-ctx.Done()
		} else if slow == 2 {
			select {
			case <-time.After(slowPause):
			case <-ctx.Done():
			}
		}
		if err := s.RecvMsg(&m); err != nil {
			if err != io.EOF {
				f.failure = err.Error()
			} else if !ended {
				f.failure = "ended without Finished"
			}
			return
		}
		now := time.Now()
		sequence, finished, worker := scan(m)
		f.messages++
		if sequence != uint64(f.messages) || ended {
			f.failure = fmt.Sprintf("message %d (expected: %d)", sequence, f.messages)
			return
		}
		ended = finished
		if f.messages == 1 {
			f.first = now.Sub(begin) - time.Duration(worker)
		} else {
			f.gaps = append(f.gaps, int32(min(now.Sub(last).Microseconds(), math.MaxInt32)))
		}
		last = now
	}
}

func quantiles[T int32 | int64](values []T) map[string]T {
	slices.Sort(values)
	at := func(p float64) T {
		if len(values) == 0 {
			return 0
		}
		return values[int(p*float64(len(values)-1))]
	}
	return map[string]T{"p50": at(.5), "p99": at(.99), "max": at(1)}
}

func main() {
	addr := flag.String("addr", "127.0.0.1:9090", "where the streams go: a router, a worker, a proxy")
	streams := flag.Int("streams", 100, "streams at once")
	conns := flag.Int("conns", 4, "connections")
	prompt := flag.Int("prompt", 64, "tokens of a prompt")
	tokens := flag.Int("tokens", 250, "tokens of an answer")
	slowPercent := flag.Int("slow", 0, "percent of the clients that are slow or stalled")
	spread := flag.Duration("spread", 20*time.Millisecond, "time over which the streams begin")
	seed := flag.Int64("seed", 1, "of the prompts")
	flag.Parse()
	encoding.RegisterCodec(raw{})

	var connections []*grpc.ClientConn
	for range *conns {
		c, err := grpc.NewClient(*addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		defer c.Close()
		connections = append(connections, c)
	}
	random := rand.New(rand.NewSource(*seed))
	slowCtx, endSlow := context.WithCancel(context.Background())
	results := make([]felt, *streams)
	kinds := make([]int, *streams) // 0: reads, 1: stalls, 2: slow
	var reading, slow sync.WaitGroup
	begin := time.Now()
	for i := range *streams {
		group, ctx := &reading, context.Background()
		if i%100 < *slowPercent {
			kinds[i] = 1 + i%2
			group, ctx = &slow, slowCtx
		}
		req := request(random, *prompt, *tokens, kinds[i] != 0)
		group.Add(1)
		go func() {
			defer group.Done()
			time.Sleep(time.Until(begin.Add(*spread * time.Duration(i) / time.Duration(*streams))))
			results[i] = stream(ctx, connections[i%len(connections)], req, kinds[i])
		}()
	}
	reading.Wait()
	seconds := time.Since(begin).Seconds()
	endSlow()
	slow.Wait()

	var messages, failed, slowStreams, slowRefused int
	var first []int64
	var gaps []int32
	failures := map[string]int{}
	for i, f := range results {
		if kinds[i] != 0 {
			slowStreams++
			if strings.Contains(f.failure, "ResourceExhausted") {
				slowRefused++
			}
			messages += f.messages
			continue
		}
		messages += f.messages
		if f.failure != "" {
			failed++
			failures[f.failure]++
			continue
		}
		first = append(first, f.first.Microseconds())
		gaps = append(gaps, f.gaps...)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"streams": *streams, "slow": slowStreams, "slow_refused": slowRefused, "failed": failed, "failures": failures,
		"messages": messages, "seconds": seconds,
		"first_us": quantiles(first), "gap_us": quantiles(gaps),
	})
	if failed > 0 {
		os.Exit(1)
	}
}
