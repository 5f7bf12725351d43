"""Vendors of promptfoo: their addresses with OpenAI's protocol, and kinds without a chat."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Vendor:
    """`address`: up to and including /v1; empty if it belongs to an account. `key`: the variable
    with the API key; empty if none is needed. `hint`: the form of the address of an account.
    """

    address: str
    key: str = ""
    hint: str = ""
    compatible: bool = True
    """Whether the vendor itself has OpenAI's protocol. If not, a gateway has to translate."""


VENDORS = {
    "openai": Vendor("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "openrouter": Vendor("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "mistral": Vendor("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "groq": Vendor("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "deepseek": Vendor("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "togetherai": Vendor("https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    "fireworks": Vendor("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "xai": Vendor("https://api.x.ai/v1", "XAI_API_KEY"),
    "cerebras": Vendor("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    "perplexity": Vendor("https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
    "anthropic": Vendor("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "google": Vendor("https://generativelanguage.googleapis.com/v1beta/openai", "GOOGLE_API_KEY"),
    "cohere": Vendor("https://api.cohere.ai/compatibility/v1", "COHERE_API_KEY"),
    "hyperbolic": Vendor("https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY"),
    "nscale": Vendor("https://inference.api.nscale.com/v1", "NSCALE_SERVICE_TOKEN"),
    "aimlapi": Vendor("https://api.aimlapi.com/v1", "AIML_API_KEY"),
    "cometapi": Vendor("https://api.cometapi.com/v1", "COMETAPI_KEY"),
    "github": Vendor("https://models.github.ai/inference", "GITHUB_TOKEN"),
    "huggingface": Vendor("https://router.huggingface.co/v1", "HF_TOKEN"),
    "vercel": Vendor("https://ai-gateway.vercel.sh/v1", "VERCEL_AI_GATEWAY_API_KEY"),
    "alibaba": Vendor(
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"
    ),
    "ai21": Vendor("https://api.ai21.com/studio/v1", "AI21_API_KEY"),
    "ollama": Vendor("http://localhost:11434/v1"),
    "localai": Vendor("http://localhost:8080/v1"),
    "llama": Vendor("http://localhost:8080/v1"),
    "llamafile": Vendor("http://localhost:8080/v1"),
    "vllm": Vendor("http://localhost:8000/v1"),
    "docker": Vendor("http://localhost:12434/engines/v1"),
    "litellm": Vendor("http://localhost:4000", "LITELLM_API_KEY"),
    "azure": Vendor("", "AZURE_API_KEY", "https://RESOURCE.openai.azure.com/openai/v1"),
    "bedrock": Vendor(
        "",
        "AWS_BEARER_TOKEN_BEDROCK",
        "a gateway such as LiteLLM, or"
        " https://bedrock-runtime.REGION.amazonaws.com/openai/v1 where it has the"
        " model",
    ),
    "vertex": Vendor(
        "",
        "VERTEX_TOKEN",
        "https://REGION-aiplatform.googleapis.com/v1/projects/"
        "PROJECT/locations/REGION/endpoints/openapi",
    ),
    "databricks": Vendor("", "DATABRICKS_TOKEN", "https://WORKSPACE/serving-endpoints"),
    "watsonx": Vendor("", "WATSONX_API_KEY", "a gateway with OpenAI's protocol", compatible=False),
    "sagemaker": Vendor("", "SAGEMAKER_API_KEY", "a gateway such as LiteLLM", compatible=False),
    "replicate": Vendor("", "REPLICATE_API_TOKEN", "a gateway such as LiteLLM", compatible=False),
    "truefoundry": Vendor("", "TRUEFOUNDRY_API_KEY", "your gateway's address"),
    "helicone": Vendor("", "HELICONE_API_KEY", "your gateway's address"),
    "portkey": Vendor("", "PORTKEY_API_KEY", "your gateway's address"),
    "cloudflare-ai": Vendor(
        "", "CLOUDFLARE_API_KEY", "https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1"
    ),
    "cloudflare-gateway": Vendor("", "CLOUDFLARE_API_KEY", "your gateway's address"),
    "cloudera": Vendor("", "CDP_TOKEN", "your endpoint's address"),
    "snowflake": Vendor(
        "", "SNOWFLAKE_API_KEY", "https://ACCOUNT.snowflakecomputing.com/api/v2/cortex/v1"
    ),
}
"""Vendors with a chat. `azureopenai` is an older name of `azure`."""

ALIASES = {
    "azureopenai": "azure",
    "palm": "google",
    "mistralai": "mistral",
    "together": "togetherai",
}

KINDS = ("chat", "completion", "messages", "responses", "converse", "generate")
"""The part between vendor and model that names a way to send text; it is not part of the model."""

OTHER_KINDS = frozenset(
    [
        "embedding",
        "embeddings",
        "moderation",
        "realtime",
        "image",
        "video",
        "audio",
        "speech",
        "transcription",
        "tts",
        "stt",
        "live",
        "assistant",
        "agents",
        "agent",
        "classification",
        "text-classification",
        "token-classification",
        "sentence-similarity",
        "feature-extraction",
        "completion",
        "codex-sdk",
        "codex",
        "claude-agent-sdk",
        "claude-code",
        "sdk",
        "imagen",
        "jumpstart",
        "kb",
        "chatkit",
        "foundry-agent",
        "agents-sdk",
    ]
)
"""Kinds without a chat: an agent, a sound, a picture, a number."""

COSTS = ("cost", "inputCost", "outputCost")
"""Settings with US dollars per token."""

IGNORED = frozenset(
    [
        "showThinking",
        "retryOptions",
        "passthrough",
        "max_retries",
        "maxRetries",
        "stream",
        "usage_tier",
        "interval",
        "omitDefaults",
        "forceVertexMode",
        "logging",
        "callbacks",
        "include_reasoning",
        "store",
    ]
)
"""Settings that do not change the request."""

PARAMS = {
    name: name
    for name in (
        "temperature",
        "max_tokens",
        "max_completion_tokens",
        "top_p",
        "top_k",
        "seed",
        "stop",
        "presence_penalty",
        "frequency_penalty",
        "response_format",
        "tools",
        "tool_choice",
        "reasoning_effort",
        "logit_bias",
        "parallel_tool_calls",
        "functions",
        "function_call",
        "service_tier",
        "modalities",
        "web_search_options",
        "search_parameters",
        "thinking",
        "search_domain_filter",
        "search_recency_filter",
        "search_after_date_filter",
        "search_before_date_filter",
        "search_mode",
        "return_images",
        "return_related_questions",
        "verbosity",
        "safe_prompt",
        "random_seed",
        "reasoning",
        "instructions",
        "text",
        "max_output_tokens",
        "metadata",
        "min_p",
        "repetition_penalty",
        "provider",
        "user",
        "enable_thinking",
        "thinking_budget",
        "include",
        "background",
    )
} | {
    "maxTokens": "max_tokens",
    "topP": "top_p",
    "topK": "top_k",
    "maxOutputTokens": "max_tokens",
    "num_predict": "max_tokens",
    "stopSequences": "stop",
    "stop_sequences": "stop",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "max_new_tokens": "max_tokens",
    "reasoningEffort": "reasoning_effort",
}
"""promptfoo's settings by the names that OpenAI's protocol has for them."""
