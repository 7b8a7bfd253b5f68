namespace Akka.Util;

/// <summary>An on/off switch; the actions run under its lock, and an action that throws leaves it as it was.</summary>
public class Switch
{
    private readonly object _gate = new();
    private volatile bool _on;

    public Switch(bool startAsOn = false) => _on = startAsOn;

    public bool IsOn => _on;

    public bool IsOff => !_on;

    public bool SwitchOn() => TranscendFrom(false, static () => { });

    public bool SwitchOn(Action action) => TranscendFrom(false, action);

    public bool SwitchOff() => TranscendFrom(true, static () => { });

    public bool SwitchOff(Action action) => TranscendFrom(true, action);

    public bool WhileOn(Action action) => While(true, action);

    public bool WhileOff(Action action) => While(false, action);

    public bool IfOn(Action action)
    {
        if (_on)
            action();
        return _on;
    }

    public bool IfOff(Action action)
    {
        if (!_on)
            action();
        return !_on;
    }

    public void Locked(Action action)
    {
        lock (_gate)
            action();
    }

    protected bool TranscendFrom(bool from, Action action)
    {
        lock (_gate)
        {
            if (_on != from)
                return false;
            action();
            _on = !from;
            return true;
        }
    }

    private bool While(bool state, Action action)
    {
        lock (_gate)
        {
            if (_on != state)
                return false;
            action();
            return true;
        }
    }
}
