namespace AgentMesh.Cli.Interactive;

/// <summary>
/// Finds among what is typed what is not for the program. <c>~.</c> at the beginning of a line is the way out when it does not answer, <c>~~</c> there is one <c>~</c>. Ctrl-P and then Ctrl-Q
/// leaves the program as it is; a Ctrl-P alone is the program's.
/// </summary>
internal sealed class EscapeKeys
{
    private const byte CtrlP = 0x10;
    private const byte CtrlQ = 0x11;

    private bool _atLineStart = true;
    private bool _tilde;
    private bool _ctrlP;

    /// <summary>The way out was typed.</summary>
    public bool IsLeaving { get; private set; }

    /// <summary>The program is to go on by itself.</summary>
    public bool IsDetaching { get; private set; }

    /// <summary>A key is kept back until the next one tells what it means.</summary>
    public bool IsWaiting => _ctrlP;

    /// <summary>What of it is for the program.</summary>
    public byte[] Pass(ReadOnlySpan<byte> typed)
    {
        var passed = new List<byte>(typed.Length + 1);
        foreach (byte key in typed)
        {
            if (_ctrlP)
            {
                _ctrlP = false;
                if (key == CtrlQ)
                {
                    IsDetaching = true;
                    break;
                }

                passed.Add(CtrlP);
            }

            if (key == CtrlP && !_tilde)
            {
                _ctrlP = true;
                _atLineStart = false;
                continue;
            }

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

    /// <summary>Nothing was typed for a while: what was kept back is for the program.</summary>
    public byte[] Release()
    {
        bool kept = _ctrlP;
        _ctrlP = false;
        return kept ? [CtrlP] : [];
    }
}
