using System.Net;
using System.Security.Cryptography;
using AgentMesh.Protocol.Crypto;
using AgentMesh.Protocol.Frames;

namespace AgentMesh.Protocol.Connections;

/// <summary>A question that was put to a path only to measure it.</summary>
internal sealed class PathQuestion(IPEndPoint path)
{
    public IPEndPoint Path => path;

    /// <summary>Null while it is not answered.</summary>
    public TimeSpan? RoundTrip { get; set; }

    internal byte[] Challenge { get; } = new byte[PathFrame.DataBytes];

    internal TimeSpan? SentAt { get; set; }
}

/// <summary>
/// Measures paths because somebody wants to know (<c>ping --paths</c>). The questions are PATH_CHALLENGE frames as those of <see cref="PathTable"/>, which hears nothing of them: how things are is told, and not changed.
/// </summary>
internal sealed class PathMeasuring(IEntropy? entropy)
{
    /// <summary>Questions without an answer at one time.</summary>
    public const int QuestionsMax = 2 * KnownPaths.PathsMax;

    private readonly List<PathQuestion> _open = [];
    private PathQuestion? _answered;

    /// <summary><see cref="TryNext"/> has something.</summary>
    public bool IsDue { get; private set; }

    /// <returns>Null where too many wait for an answer.</returns>
    public PathQuestion? Begin(IPEndPoint path)
    {
        if (entropy is null || _open.Count >= QuestionsMax)
        {
            return null;
        }

        var question = new PathQuestion(path);
        entropy.Fill(question.Challenge);
        _open.Add(question);
        IsDue = true;
        return question;
    }

    public void GiveUp(PathQuestion question)
    {
        _open.Remove(question);
        IsDue = _open.Exists(open => open.SentAt is null);
    }

    public bool TryNext(TimeSpan now, out IPEndPoint to, out ReadOnlySpan<byte> data)
    {
        PathQuestion? next = _open.Find(open => open.SentAt is null);
        IsDue = next is not null;
        (to, data) = next is null ? (null!, default) : (next.Path, next.Challenge);
        if (next is not null)
        {
            next.SentAt = now;
        }

        return IsDue;
    }

    /// <summary>An answer came; <see cref="TryTake"/> judges it.</summary>
    public void Answered(ReadOnlySpan<byte> data)
    {
        _answered = null;
        foreach (PathQuestion question in _open)
        {
            if (question.SentAt is not null && CryptographicOperations.FixedTimeEquals(question.Challenge, data))
            {
                _answered = question;
            }
        }
    }

    /// <summary>The packet with the answer came from here.</summary>
    /// <returns>It was the answer to one of these questions.</returns>
    public bool TryTake(IPEndPoint from, TimeSpan now)
    {
        if (_answered is not { } question)
        {
            return false;
        }

        _answered = null;
        if (!question.Path.Equals(from))
        {
            return false;
        }

        question.RoundTrip = now - question.SentAt;
        GiveUp(question);
        return true;
    }
}
