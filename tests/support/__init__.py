"""What tests share, so that each can be read by itself.

- `fakes`: a scripted `Ask` (`FakeAsk(a=reply("42", 0.9), judge=verdict())`) and builders of runs,
  responses and verdicts.
- `fake_models`: models behind llm's own plugin hook: `plugin("fake", models(FakeAsync("a", …)))`.
- `loopback`: an OpenAI-compatible provider on this machine that fails in every way providers do.
- `fake_server`, `crash_server`, `fake_llm`: the real programs with fake models, run as children.
- `wire`, `client`: an MCP client that sees the bytes, and what tests ask of the SDK's.
- `fixture_server` with `input_fixtures` and `task_fixtures`: what MCP's conformance suite calls.
- `growth`: whether work is linear in its input, without a limit in seconds.
- `documented`: the generated pages of docs/.
"""
