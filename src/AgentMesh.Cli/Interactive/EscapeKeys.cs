namespace AgentMesh.Cli.Interactive;

/// <summary>
/// Finds <c>~.</c> at the beginning of a line among what is typed: the way out when the program does not answer. <c>~~</c> there is one <c>~</c>.
/// </summary>
internal sealed class EscapeKeys
{
    private bool _atLineStart = true;
    private bool _tilde;

    /// <summary>The way out was typed.</summary>
    public bool IsLeaving { get; private set; }

    /// <summary>What of it is for the program.</summary>
    public byte[] Pass(ReadOnlySpan<byte> typed)
    {
        var passed = new List<byte>(typed.Length + 1);
        foreach (byte key in typed)
        {
            if (_tilde)
            {
                _tilde = false;
                if (key == '.')
                {
                    IsLeaving = true;
                    break;
                }

                passed.Add((byte)'~');
                if (key == '~')
                {
                    _atLineStart = false;
                    continue;
                }
            }
            else if (key == '~' && _atLineStart)
            {
                _tilde = true;
                continue;
            }

            passed.Add(key);
            _atLineStart = key is (byte)'\r' or (byte)'\n';
        }

        return [.. passed];
    }
}
