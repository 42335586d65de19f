"""Holds a REST server to its own OpenAPI document: every operation is called with what its schemas
allow and with what they forbid, and every answer has to be one that the document has."""

import copy
import http.client
import json
import os
import re
import subprocess
import sys
import unittest

try:
    import jsonschema
except ImportError:
    required = os.environ.get("TRUNKLINE_REQUIRE_SHARED") == "1"
    print("there is no jsonschema: apt-get install python3-jsonschema")
    sys.exit(1 if required else 77)


class Api:
    """The server, its document, and which answers of which operations were seen."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        port, self.token = self.process.stdout.readline().decode().split()
        self.port = int(port)
        self.seen = set()
        _, _, text = self.exchange("GET", "/openapi.json")
        self.document = json.loads(text)

    def close(self):
        self.process.communicate()
        assert self.process.returncode == 0, "the server did not end well"

    def exchange(self, method, path, body=None, headers=None):
        sent = {"Authorization": f"Bearer {self.token}"} if hasattr(self, "token") else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            if answer.getheader("Content-Type") == "text/event-stream":
                return answer.status, answer.headers, read_event(answer)
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def resolve(self, what):
        while "$ref" in what:
            found = self.document
            for name in what["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            what = found
        return what

    def valid(self, schema, value):
        # References begin at the root of the document.
        whole = {"components": self.document["components"], **schema}
        jsonschema.Draft202012Validator(whole).validate(value)

    def call(self, method, path, body=None, headers=None, ids=None):
        """The status and the body of an answer, which is one of those that the document has."""
        where = path
        for name, value in (ids or {}).items():
            where = where.replace("{" + name + "}", value)
        text = json.dumps(body) if isinstance(body, (dict, list)) else body
        status, got, answer = self.exchange(method, where, text, headers)
        operation = self.document["paths"][path.partition("?")[0]][method.lower()]
        note = f"{method} {where} {text} was answered {status} {answer}"
        assert str(status) in operation["responses"], f"{note}, which the document has not"
        declared = self.resolve(operation["responses"][str(status)])
        for name, header in declared.get("headers", {}).items():
            if name in got:
                self.valid(header["schema"], got[name])
            else:
                assert not header.get("required"), f"{note}, without {name}"
        content = declared.get("content")
        if content is None:
            assert answer == "", note
        else:
            assert got["Content-Type"] in content, f"{note} as {got['Content-Type']}"
            value = answer
            if "html" not in got["Content-Type"]:
                value = json.loads(answer)
            try:
                self.valid(content[got["Content-Type"]]["schema"], value)
            except jsonschema.ValidationError as wrong:
                raise AssertionError(f"{note}: {wrong.message}") from None
            answer = value
        self.seen.add((operation["operationId"], status))
        return status, answer


def read_event(answer):
    """The data of the first event of a stream."""
    while True:
        line = answer.readline().decode()
        assert line, "the stream ended"
        if line.startswith("data: "):
            return line.removeprefix("data: ")


def example(api, schema):
    """A good value: the examples of what it is made of."""
    schema = api.resolve(schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {name: example(api, part) for name, part in schema["properties"].items()}
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "array":
        return [example(api, schema["items"])]
    return {"string": "x", "integer": schema.get("minimum", 1), "boolean": True}[kind]


def good_values(api, schema):
    """What one field may be, at its limits."""
    schema = api.resolve(schema)
    values = list(schema.get("examples", [])) + list(schema.get("enum", []))
    values += [schema[limit] for limit in ("minimum", "maximum", "default") if limit in schema]
    if "null" in schema["type"]:
        values.append(None)
    if schema["type"] == "boolean":
        values += [True, False]
    return values


def bad_values(api, schema):
    """What one field must not be: each with exactly one thing wrong."""
    schema = api.resolve(schema)
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    of_each_kind = {"string": "x", "integer": 1, "boolean": True, "array": [], "object": {}}
    values = [value for kind, value in of_each_kind.items() if kind not in kinds]
    values += [1.5] if "null" in kinds else [1.5, None]
    if "minimum" in schema:
        values += [schema["minimum"] - 1, -(2**63), -(2**70)]
    if "maximum" in schema:
        values += [schema["maximum"] + 1, 2**63, 2**64 - 1, 2**70]
    if schema.get("minLength"):
        values.append("")
    if "maxLength" in schema:
        values += ["x" * (schema["maxLength"] + 1), "a\u0000b", "a\r\nb"]
    if "enum" in schema or "pattern" in schema:
        values += ["X-" + str(example(api, schema))]
    if "maxItems" in schema:
        # No more of each than it needs: a body has a limit, too.
        item = api.resolve(schema["items"])
        least = example(api, item)
        if item["type"] == "object":
            least = {name: example(api, item["properties"][name]) for name in item["required"]}
        values.append([least] * (schema["maxItems"] + 1))
    if "maxProperties" in schema:
        values.append({str(i): "" for i in range(schema["maxProperties"] + 1)})
    if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
        values += [{"a": bad} for bad in bad_values(api, schema["additionalProperties"])]
    return values


class Document(unittest.TestCase):
    program = None
    names = 0

    @classmethod
    def setUpClass(cls):
        cls.api = Api(cls.program)

    @classmethod
    def tearDownClass(cls):
        cls.api.close()

    def schema(self, name):
        return self.api.document["components"]["schemas"][name]

    def fresh(self, body):
        """The same with a name that no trunk has yet."""
        Document.names += 1
        return {**body, "name": f"trunk {Document.names}"} if "name" in body else body

    def trunk(self):
        status, made = self.api.call("POST", "/trunks", self.fresh({"name": "x"}))
        self.assertEqual(status, 201)
        return made["id"]

    def places(self):
        """Each operation with a body: its path, how its ids are made, and its schema."""
        def gateway():
            trunk = self.trunk()
            _, made = self.api.call("POST", "/trunks/{id}/gateways", {"host": "192.0.2.1"},
                                    ids={"id": trunk})
            return {"id": trunk, "gateway_id": made["id"]}

        def number():
            _, made = self.api.call("POST", "/trunks/{id}/numbers", {"e164": "*"},
                                    ids={"id": self.trunk()})
            return {"id": made["id"]}

        def trunk():
            return {"id": self.trunk()}

        return [("POST", "/trunks", dict, "NewTrunk", 201),
                ("PATCH", "/trunks/{id}", trunk, "TrunkChange", 200),
                ("POST", "/trunks/{id}/gateways", trunk, "NewGateway", 201),
                ("PATCH", "/trunks/{id}/gateways/{gateway_id}", gateway, "GatewayChange", 200),
                ("POST", "/trunks/{id}/ip-acls", trunk, "NewIpAcl", 201),
                ("POST", "/trunks/{id}/numbers", trunk, "NewNumber", 201),
                ("PATCH", "/numbers/{id}", number, "NumberChange", 200),
                ("POST", "/calls", dict, "NewCall", 201)]

    def test_a_whole_example_is_taken(self):
        for method, path, ids, schema, success in self.places():
            with self.subTest(method=method, path=path):
                body = self.fresh(example(self.api, self.schema(schema)))
                self.assertEqual(self.api.call(method, path, body, ids=ids())[0], success)

    def test_each_field_is_taken_at_its_limits(self):
        for method, path, ids, schema, success in self.places():
            parts = self.schema(schema)["properties"]
            whole = example(self.api, self.schema(schema))
            for name, part in parts.items():
                for value in good_values(self.api, part):
                    if name.startswith("auth_") and value is None:
                        continue  # One of the pair alone: see below.
                    with self.subTest(method=method, path=path, field=name, value=value):
                        body = self.fresh({**whole, name: value}) if name != "name" else whole
                        body = self.fresh(body) if name == "name" else body
                        self.assertEqual(self.api.call(method, path, body, ids=ids())[0], success)

    def test_each_field_is_refused_beyond_its_limits_by_its_name(self):
        for method, path, ids, schema, _ in self.places():
            parts = self.schema(schema)["properties"]
            whole = example(self.api, self.schema(schema))
            those = ids()
            for name, part in parts.items():
                for value in bad_values(self.api, part):
                    with self.subTest(method=method, path=path, field=name, value=str(value)[:80]):
                        body = self.fresh(copy.deepcopy(whole))
                        body[name] = value
                        status, answer = self.api.call(method, path, body, ids=those)
                        self.assertEqual(status, 400)
                        self.assertRegex(answer["field"], "^" + re.escape(name) + r"($|[.\[])")

    def test_what_is_missing_or_unknown_is_refused_by_its_name(self):
        for method, path, ids, schema, _ in self.places():
            whole = self.fresh(example(self.api, self.schema(schema)))
            those = ids()
            for name in self.schema(schema).get("required", []):
                with self.subTest(path=path, missing=name):
                    body = {key: value for key, value in whole.items() if key != name}
                    status, answer = self.api.call(method, path, body, ids=those)
                    self.assertEqual((status, answer["field"]), (400, name))
            for one, others in self.schema(schema).get("dependentRequired", {}).items():
                with self.subTest(path=path, alone=one):
                    body = {key: value for key, value in whole.items() if key not in others}
                    status, answer = self.api.call(method, path, body, ids=those)
                    self.assertEqual((status, answer["field"]), (400, others[0]))
            with self.subTest(path=path):
                status, answer = self.api.call(method, path, {**whole, "nonsense": 1}, ids=those)
                self.assertEqual((status, answer["field"]), (400, "nonsense"))

    def test_what_is_no_json_object_is_refused(self):
        for method, path, ids, _, _ in self.places():
            those = ids()
            for body in ("{", "[]", "null", "1", '{"name": "a", "name": "b"}', "[" * 100_000, "\xff"):
                with self.subTest(path=path, body=body[:40]):
                    self.assertEqual(self.api.call(method, path, body, ids=those)[0], 400)
            status, _ = self.api.call(method, path, "{}", {"Content-Type": "text/plain"}, those)
            self.assertEqual(status, 415)

    def test_nothing_is_found_that_is_not_there(self):
        nothing = {"id": "nobody", "gateway_id": "nobody", "ip_acl_id": "nobody"}
        for path, item in self.api.document["paths"].items():
            if "{id}" not in path:
                continue
            for method in set(item) - {"parameters"}:
                with self.subTest(method=method, path=path):
                    self.assertEqual(self.api.call(method.upper(), path, "{}", ids=nothing)[0], 404)

    def test_a_stranger_is_refused_wherever_the_document_says(self):
        for path, item in self.api.document["paths"].items():
            for method in set(item) - {"parameters"}:
                is_open = item[method].get("security") == []
                with self.subTest(method=method, path=path):
                    for token in (None, "Bearer tl_other"):
                        status, _ = self.api.call(method.upper(), path, None,
                                                  {"Authorization": token})
                        self.assertEqual(status, 200 if is_open else 401)

    def test_trunks_of_the_file_are_shown_and_not_changed(self):
        of_file = {"id": "of%20the%20file"}
        self.assertEqual(self.api.call("GET", "/trunks/{id}", ids=of_file)[0], 200)
        for method, path in (("PATCH", "/trunks/{id}"), ("DELETE", "/trunks/{id}"),
                             ("POST", "/trunks/{id}/numbers")):
            self.assertEqual(self.api.call(method, path, "{}", ids=of_file)[0], 409)

    def test_a_trunk_from_its_making_to_its_end(self):
        call = self.api.call
        body = self.fresh(example(self.api, self.schema("NewTrunk")))
        _, made = call("POST", "/trunks", body)
        status, answer = call("POST", "/trunks", body)
        self.assertEqual((status, answer["field"]), (409, "name"))
        trunk = {"id": made["id"]}
        self.assertIn(made, call("GET", "/trunks")[1]["trunks"])
        self.assertEqual(call("GET", "/trunks/{id}", ids=trunk)[1], made)
        for kind, field, noun in (("gateways", "gateways", "gateway_id"),
                                  ("ip-acls", "ip_acls", "ip_acl_id")):
            part = made[field][0]
            self.assertEqual(call("GET", f"/trunks/{{id}}/{kind}", ids=trunk)[1][field], [part])
            one = f"/trunks/{{id}}/{kind}/{{{noun}}}"
            ids = {**trunk, noun: part["id"]}
            self.assertEqual(call("GET", one, ids=ids)[1], part)
            self.assertEqual(call("DELETE", one, ids=ids)[0], 204)
            self.assertEqual(call("DELETE", one, ids=ids)[0], 404)
        number = made["numbers"][0]
        self.assertEqual(call("GET", "/trunks/{id}/numbers", ids=trunk)[1]["numbers"], [number])
        self.assertEqual(call("POST", "/trunks/{id}/numbers", {"e164": number["e164"]},
                              ids=trunk)[0], 409)
        ids = {"id": number["id"]}
        self.assertEqual(call("GET", "/numbers/{id}", ids=ids)[1], number)
        self.assertIsNone(call("PATCH", "/numbers/{id}", ids=ids)[1]["agent_id"])
        self.assertEqual(call("DELETE", "/numbers/{id}", ids=ids)[0], 204)
        self.assertEqual(call("DELETE", "/trunks/{id}", ids=trunk)[0], 204)
        self.assertEqual(call("GET", "/trunks/{id}", ids=trunk)[0], 404)

    def test_a_call_from_its_beginning_to_its_end(self):
        call = self.api.call
        body = {"to": "+14155550100", "agent": "echo"}
        key = {"Idempotency-Key": "one"}
        _, made = call("POST", "/calls", body, key)
        self.assertEqual(call("POST", "/calls", body, key), (201, made))
        self.assertEqual(call("POST", "/calls", {**body, "to": "1"}, key)[0], 409)
        self.assertEqual(call("POST", "/calls", body, {"Idempotency-Key": "k" * 256})[0], 400)
        self.assertIn(made["id"], [one["id"] for one in call("GET", "/calls")[1]["calls"]])
        ids = {"id": made["id"]}
        self.assertEqual(call("GET", "/calls/{id}", ids=ids)[1]["state"], "initiated")
        self.assertEqual(call("POST", "/calls/{id}/transfer", {"to": "1"}, ids=ids)[0], 409)
        self.assertEqual(call("DELETE", "/calls/{id}", ids=ids)[0], 204)
        self.assertEqual(call("DELETE", "/calls/{id}", ids=ids)[0], 409)
        self.assertIn("cdr", call("GET", "/calls/{id}", ids=ids)[1])
        self.assertIn(made["id"], [one["id"] for one in call("GET", "/calls?ended=true")[1]["calls"]])
        self.assertEqual(call("GET", "/calls?ended=perhaps")[0], 400)
        self.assertEqual(call("GET", "/events?after=0")[0], 200)
        self.assertEqual(call("GET", "/events", None, {"Last-Event-ID": "x"})[0], 400)

    def test_an_answered_call_is_transferred(self):
        call = self.api.call
        made = call("POST", "/calls", {"to": "+14155550111", "agent": "echo"})[1]
        ids = {"id": made["id"]}
        self.assertEqual(call("POST", "/calls/{id}/transfer", {"to": "nobody"}, ids=ids)[0], 400)
        self.assertEqual(call("POST", "/calls/{id}/transfer", {"to": "tel:+1"}, ids=ids)[0], 202)
        self.assertEqual(call("POST", "/calls/{id}/transfer", {"to": "tel:+1"}, ids=ids)[0], 409)

    def test_zz_every_operation_was_called_and_every_success_was_seen(self):
        wanted = set()
        for item in self.api.document["paths"].values():
            for method in set(item) - {"parameters"}:
                operation = item[method]
                wanted |= {(operation["operationId"], int(status))
                           for status in operation["responses"]
                           if status[0] == "2" or status in ("401", "404", "501")}
        self.assertEqual(wanted - self.api.seen, set())


if __name__ == "__main__":
    Document.program = sys.argv.pop(1)
    unittest.main(verbosity=2)
