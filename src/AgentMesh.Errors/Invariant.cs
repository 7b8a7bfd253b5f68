using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AgentMesh.Errors;

/// <summary>Checks that stay on in Release: a failure is a bug, the owner stops and supervision decides.</summary>
public static class Invariant
{
    public static void Check(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string? expression = null)
    {
        if (!condition)
        {
            throw new InvariantException($"Invariant broken: {expression}");
        }
    }
}

/// <summary>A bug in this program, never the fault of a user or of bytes from outside.</summary>
public sealed class InvariantException(string message) : Exception(message);
