using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentMesh.Errors;
using Microsoft.AspNetCore.Http;

namespace AgentMesh.Node.Control;

/// <summary>How requests of the control API are read, and answers written.</summary>
internal static class ControlHttp
{
    public static async Task Answer<T>(HttpContext http, Task<T> answer, JsonTypeInfo<T> type) =>
        await http.Response.WriteAsJsonAsync(await answer.ConfigureAwait(false), type, cancellationToken: http.RequestAborted).ConfigureAwait(false);

    /// <summary>
    /// Newline-delimited JSON, or <see cref="EventFrames"/> for who accepts those, flushed with every event. A problem in mid-stream is the last event, an
    /// object with "problem".
    /// </summary>
    /// <param name="split">Takes the data out of an event; null for events without any.</param>
    public static async Task Stream<T>(HttpContext http, IAsyncEnumerable<T> events, JsonTypeInfo<T> type, Func<T, (T Head, ReadOnlyMemory<byte> Data)>? split = null)
    {
        IAsyncEnumerator<T> each = events.GetAsyncEnumerator(http.RequestAborted);
        await using (each.ConfigureAwait(false))
        {
            // Problems before the first event become an HTTP status.
            bool more = await each.MoveNextAsync().ConfigureAwait(false);
            bool isFramed = split is not null && http.Request.Headers.Accept is [EventFrames.MediaType];
            http.Response.ContentType = isFramed ? EventFrames.MediaType : "application/x-ndjson";
            PipeWriter to = http.Response.BodyWriter;
            var head = new ArrayBufferWriter<byte>();
            try
            {
                while (more)
                {
                    (T first, ReadOnlyMemory<byte> data) = isFramed ? split!(each.Current) : (each.Current, default);
                    Write(first, data, type);
                    await to.FlushAsync(http.RequestAborted).ConfigureAwait(false);
                    more = await each.MoveNextAsync().ConfigureAwait(false);
                }
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                Write(new CommandEvent("problem", Problem: Problems.Describe(error).Problem), default, ControlJson.Default.CommandEvent);
                await to.FlushAsync(http.RequestAborted).ConfigureAwait(false);
            }

            void Write<TEvent>(TEvent happened, ReadOnlyMemory<byte> data, JsonTypeInfo<TEvent> eventType)
            {
                if (isFramed)
                {
                    EventFrames.Write(to, head, happened, data.Span, eventType);
                }
                else
                {
                    EventFrames.WriteLine(to, head, happened, eventType);
                }
            }
        }
    }

    public static async Task<T> Body<T>(HttpContext http, JsonTypeInfo<T> type)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, type, http.RequestAborted).ConfigureAwait(false)
                ?? throw new JsonException("the body is null");
        }
        catch (JsonException error)
        {
            throw new MeshException(NodeErrors.ControlRequest, $"the request body is not valid: {error.Message}", "see docs/control-api.md for its fields", error);
        }
    }

    public static string? Query(HttpContext http, string name) => http.Request.Query[name] is [{ Length: > 0 } value, ..] ? value : null;

    public static string Need(HttpContext http, string name) =>
        Query(http, name) ?? throw new MeshException(NodeErrors.ControlRequest, $"{http.Request.Path} needs the query value '{name}'", "see docs/control-api.md");

    public static long? LongNumber(HttpContext http, string name)
    {
        if (Query(http, name) is not { } text)
        {
            return null;
        }

        return long.TryParse(text, CultureInfo.InvariantCulture, out long value) && value >= 0
            ? value
            : throw new MeshException(NodeErrors.ControlRequest, $"'{text}' is not a valid value for '{name}': a whole number from 0 is expected", "see docs/control-api.md");
    }

    public static DateTimeOffset? Time(HttpContext http, string name)
    {
        if (Query(http, name) is not { } text)
        {
            return null;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset value)
            ? value
            : throw new MeshException(NodeErrors.ControlRequest, $"'{text}' is not a valid value for '{name}': a time in ISO 8601 is expected", "see docs/control-api.md");
    }

    public static int? Number(HttpContext http, string name) => LongNumber(http, name) is { } value ? (int)Math.Min(value, int.MaxValue) : null;
}
