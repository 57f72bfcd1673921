package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/symphony-rt/symphony/internal/apigwsender"
	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/dynamodirectory"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/s3store"
)

// What the local stack calls its table and bucket on LocalStack.
const (
	localTable  = "symphony-local"
	localBucket = "symphony-local"
	localRegion = "us-east-1"
	localKey    = "test"
)

func parseSecret(s string) ([]byte, error) {
	b, err := config.ParseSecret(s)
	if err != nil {
		return nil, fmt.Errorf("the secret %w", err)
	}
	return b, nil
}

// openLocalStack uses the running local server when it is on LocalStack, because
// that one can tell the people in a room; otherwise the engines themselves.
func (a *App) openLocalStack(ctx context.Context, w *where) (*target, error) {
	if folder, err := a.dataFolder(w); err == nil {
		if c, err := operate.ReadControl(folder); err == nil && c.Stack != "embedded" && answers(ctx, c.URL) {
			return &target{rooms: operate.NewRemote(c.URL, c.Token), name: "the local server on " + c.Page, ws: c.WS}, nil
		}
	}
	endpoint := localStackEndpoint(a.Env)
	if !answers(ctx, endpoint) {
		return nil, hint(fmt.Errorf("no LocalStack answers on %s", endpoint),
			"Start it (make local STACK=localstack), or say where it is with LOCALSTACK_ENDPOINT.")
	}
	cfg := aws.Config{Region: localRegion, Credentials: credentials.NewStaticCredentialsProvider(localKey, localKey, "")}
	return a.onAWS(cfg, awsStage{table: localTable, bucket: localBucket, name: "LocalStack on " + endpoint, endpoint: endpoint}, nobody{})
}

// awsStage is a deployed stage as its stack's outputs describe it.
type awsStage struct {
	stage, name               string
	table, bucket, ws, status string
	// endpoint is set for engines that are not AWS's own.
	endpoint string
}

func stackName(stage string) string { return "symphony-" + stage }

func (a *App) loadAWS(ctx context.Context, region string) (aws.Config, error) {
	var options []func(*awsconfig.LoadOptions) error
	if region != "" {
		options = append(options, awsconfig.WithRegion(region))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, fmt.Errorf("the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, hint(errors.New("no AWS region is chosen"), "export AWS_REGION=eu-central-1 (or any other), or say --region.")
	}
	if cfg.Credentials == nil {
		return cfg, errNoCredentials(errors.New("none are configured"))
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return cfg, errNoCredentials(err)
	}
	return cfg, nil
}

func errNoCredentials(err error) error {
	return hint(fmt.Errorf("there are no AWS credentials that work: %s", firstLine(err)),
		"'aws configure sso' once and 'aws sso login', or export AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.\n"+
			"Rooms on this machine need none: --stage local.")
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// describe reads the outputs of a stage's stack; errNoStage when there is none.
func describe(ctx context.Context, cfg aws.Config, stage string) (awsStage, error) {
	name := stackName(stage)
	out, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist") || err == nil && len(out.Stacks) == 0 {
		return awsStage{}, hint(fmt.Errorf("%w: %s in region %s", errNoStage, stage, cfg.Region),
			"Deploy it with 'symphony deploy --stage %s', choose another --region, or work on this machine with --stage local.", stage)
	}
	if err != nil {
		return awsStage{}, fmt.Errorf("ask CloudFormation for the stack %s: %w", name, err)
	}
	s := awsStage{stage: stage, name: fmt.Sprintf("stage %s in %s", stage, cfg.Region), status: string(out.Stacks[0].StackStatus)}
	for _, o := range out.Stacks[0].Outputs {
		switch aws.ToString(o.OutputKey) {
		case "WebSocketUrl":
			s.ws = aws.ToString(o.OutputValue)
		case "TableName":
			s.table = aws.ToString(o.OutputValue)
		case "BucketName":
			s.bucket = aws.ToString(o.OutputValue)
		}
	}
	return s, nil
}

// errNoStage: nothing is deployed under that name.
var errNoStage = errors.New("no such stage is deployed")

func (a *App) openStage(ctx context.Context, w *where) (*target, error) {
	cfg, err := a.loadAWS(ctx, w.region)
	if err != nil {
		return nil, err
	}
	s, err := describe(ctx, cfg, w.stage)
	if err != nil {
		return nil, err
	}
	if s.table == "" || s.bucket == "" {
		return nil, hint(fmt.Errorf("the stack %s is %s and has no outputs yet", stackName(w.stage), s.status), "Wait for the deployment, or deploy it again.")
	}
	sender := apigwsender.New(cfg, "https://"+strings.TrimPrefix(s.ws, "wss://"), apigwsender.Options{})
	t, err := a.onAWS(cfg, s, sender)
	if err != nil {
		return nil, err
	}
	t.ws = s.ws
	t.secret = func(ctx context.Context) ([]byte, error) { return stageSecret(ctx, cfg, w.stage) }
	return t, nil
}

// stageSecret reads the secret tokens are signed with, from where the deployment
// has it unless it was told otherwise.
func stageSecret(ctx context.Context, cfg aws.Config, stage string) ([]byte, error) {
	name := "/symphony/" + stage + "/secret"
	out, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, hint(fmt.Errorf("read the secret in the parameter %s: %w", name, err),
			"If the stage has its secret elsewhere, give it in SYMPHONY_AUTH_SECRET.")
	}
	return parseSecret(aws.ToString(out.Parameter.Value))
}

func (a *App) onAWS(cfg aws.Config, s awsStage, sender room.Sender) (*target, error) {
	var dynamoOptions []func(*dynamodb.Options)
	var s3Options []func(*s3.Options)
	if s.endpoint != "" {
		dynamoOptions = append(dynamoOptions, func(o *dynamodb.Options) { o.BaseEndpoint = &s.endpoint })
		s3Options = append(s3Options, func(o *s3.Options) { o.BaseEndpoint = &s.endpoint })
	}
	db := dynamostore.NewClient(cfg, dynamoOptions...)
	objects := s3store.New(s3store.NewClient(cfg, s.endpoint != "", s3Options...), s.bucket, s3store.Options{})
	table := dynamostore.New(db, s.table, objects, dynamostore.Options{Clock: systemClock{}})
	log := slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	service, err := room.NewService(room.Ports{
		Log: table, Metas: table, Members: table, Snapshots: objects, Uploads: objects, Sender: sender, Clock: systemClock{},
	}, room.Options{Logger: log})
	if err != nil {
		return nil, err
	}
	rooms := operate.NewDirect(service, operate.InTable{Listed: dynamodirectory.New(db, s.table, systemClock{})}, operator)
	return &target{rooms: rooms, name: s.name}, nil
}
