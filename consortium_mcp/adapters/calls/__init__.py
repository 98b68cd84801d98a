"""One call of a model, made through llm. Begin with `model_caller`.

`attachments` and `tools` go along with it, `provider_responses` reads what came back, `retries`
asks again what may pass. Which models there are is found in `adapters.models`.
"""
