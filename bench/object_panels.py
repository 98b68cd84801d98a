"""The panels of recorded objects; apart, so that another program's Python can import them."""

F3 = ("gpt-5.5", "claude-opus-4-7", "gemini-3.1-pro-preview")
PANELS = {
    "F3": F3,
    "F5": (*F3, "deepseek_deepseek-v4-pro", "x-ai_grok-4.3"),
    "B5": ("zai-org-GLM-4.7", "gemini-3.1-pro-preview", "gemini-3.5-flash", "gemma-4-31b-it",
           "z-ai_glm-5.1"),
    "L5": ("gemma-3-27b-it", "gpt-5.4-mini", "gemini-2.5-flash", "Qwen3-30B-A3B-Instruct-2507",
           "Ministral-3-14B-Instruct-2512"),
    "W7": ("gpt-5.5", "gemini-3-flash", "gpt-5.4-mini", "gemma-3-27b-it",
           "Qwen3-30B-A3B-Instruct-2507", "phi-4", "ibm-granite-4.0-h-small"),
}  # fmt: skip
