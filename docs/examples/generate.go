// Streams an answer from a router or a worker, with nothing but grpc-go; README.md says how to generate sluicev1.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"example/sluicev1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	target, question := os.Args[1], os.Args[2]
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tokens := uint32(64)
	stream, err := sluicev1.NewGenerationServiceClient(connection).Generate(ctx, &sluicev1.GenerateRequest{
		Prompt: &sluicev1.GenerateRequest_Chat{Chat: &sluicev1.ChatMessages{
			Messages: []*sluicev1.ChatMessage{{Role: "user", Content: question}},
		}},
		Stopping: &sluicev1.Stopping{MaxTokens: &tokens},
	})
	if err != nil {
		log.Fatal(err)
	}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			fmt.Println()
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(response.GetDelta().GetText())
	}
}
