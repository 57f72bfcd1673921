"""Deploys the synthesized template to moto, a mock of AWS, on loopback.

This is a smoke test and not more: moto creates records, not resources. What it
shows is that CloudFormation's engine finds every reference, in an order that
works, and that the outputs can be computed. Usage: smoke.py <cdk.out> <stack>
"""

import json
import logging
import os
import pathlib
import sys
import warnings

os.environ.update(
    AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION="us-east-1",
)

import boto3  # noqa: E402
from moto.cloudformation import parsing  # noqa: E402
from moto.core.config import default_user_config  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

REGION, ACCOUNT = "us-east-1", "123456789012"
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
BOOTSTRAP = "/cdk-bootstrap/hnb659fds/version"

# What this version of moto has no CloudFormation model for: it passes over these,
# so nothing is shown of them here (cfn-lint checks them against AWS's schemas).
UNKNOWN_TO_MOTO = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::RouteResponse",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
}


def main(out, name):
    template = json.loads((out / f"{name}.template.json").read_text())
    # A custom resource waits for its function's answer, and the mock runs none.
    custom = [i for i, r in template["Resources"].items() if r["Type"].startswith("Custom::")]
    for logical in custom:
        del template["Resources"][logical]
    default_user_config["iam"] = {"load_aws_managed_policies": True}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("moto").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Tried to parse")
    server.start()
    host, port = server.get_host_and_port()

    def client(service):
        return boto3.client(service, endpoint_url=f"http://{host}:{port}", region_name=REGION)

    try:
        client("ssm").put_parameter(Name=BOOTSTRAP, Value="30", Type="String")
        upload(client("s3"), out, name)
        made = deploy(client("cloudformation"), name, template)
        look(client, name)
        client("cloudformation").delete_stack(StackName=name)
    finally:
        server.stop()
    print(f"  smoke test on a mock (moto, not AWS): {name} created, {made} of {len(template['Resources'])} resources; "
          f"left out: {', '.join(custom) or 'none'}; moto does not know {', '.join(sorted(UNKNOWN_TO_MOTO))}")


def deploy(cloudformation, name, template):
    """Creates the stack and returns how many resources the mock made."""
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
    # Asked afterwards: models register themselves when they are first used.
    unknown = {t for t in types(template) if parsing.resource_class_from_type(t) is None}
    expect(unknown == UNKNOWN_TO_MOTO, f"unknown to moto: {sorted(unknown)}, expected {sorted(UNKNOWN_TO_MOTO)}")
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    expect(stack["StackStatus"] == "CREATE_COMPLETE", f"{stack['StackStatus']}: {stack.get('StackStatusReason')}")
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    made = {r["LogicalResourceId"] for r in resources if "LogicalResourceId" in r}
    for logical, resource in template["Resources"].items():
        expect(resource["Type"] in UNKNOWN_TO_MOTO or logical in made, f"{logical} was not made")
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    missing = [i for i, r in template["Resources"].items() if r["Type"] in UNKNOWN_TO_MOTO]
    for key, output in template["Outputs"].items():
        if any(f'"{i}"' in json.dumps(output) for i in missing):
            continue  # of something the mock does not know
        value = outputs.get(key, "")
        expect(value and "{" not in value and "None" not in value, f"output {key} is {value!r}")
    return len(made)


def look(client, name):
    """Looks at what was made with the clients that the functions use."""
    table = client("dynamodb").describe_table(TableName=name)["Table"]
    expect(len(table["GlobalSecondaryIndexes"]) == 2, "the table has both indexes")
    expect(table["StreamSpecification"]["StreamEnabled"], "the table has its stream")
    functions = [f for f in client("lambda").list_functions()["Functions"] if f["Runtime"] == "provided.al2023"]
    expect(len(functions) == 7, f"{len(functions)} functions")
    mappings = client("lambda").list_event_source_mappings(FunctionName=f"{name}-stream")["EventSourceMappings"]
    expect(len(mappings) == 1 and mappings[0]["EventSourceArn"] == table["LatestStreamArn"], "the stream function reads the table's stream")
    for function in functions:
        for variable, value in function["Environment"]["Variables"].items():
            expect(isinstance(value, str) and value and "{" not in value, f"{function['FunctionName']}: {variable}={value!r}")
        role = function["Role"].rsplit("/", 1)[1]
        for policy in client("iam").list_role_policies(RoleName=role)["PolicyNames"]:
            document = json.dumps(client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
            expect("Fn::" not in document and '"Ref"' not in document, f"{role}: {document}")


def types(template):
    return {r["Type"] for r in template["Resources"].values()}


def expect(holds, message):
    if not holds:
        sys.exit(f"smoke test on a mock (moto, not AWS) failed: {message}")


def upload(s3, out, name):
    """Puts the assets where the CDK CLI would have."""
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    s3.create_bucket(Bucket=bucket)
    manifest = json.loads((out / f"{name}.assets.json").read_text())
    for asset in manifest["files"].values():
        path = out / asset["source"]["path"]
        data = path.read_bytes() if path.is_file() else EMPTY_ZIP
        for destination in asset["destinations"].values():
            s3.put_object(Bucket=bucket, Key=destination["objectKey"], Body=data)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2])
