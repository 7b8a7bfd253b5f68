using Simulation.Engine;

namespace Simulation.Pipes;

/// <summary>The program itself, between its input and its output, a step after the other.</summary>
internal sealed class PipedProgram(SimLoop loop, SimProcess machine, SimShim shim, PipeStage stage)
{
    private readonly ProgramPlan _plan = stage.Plan;
    private long _pending;
    private bool _isInputDone;
    private bool _isAwake;

    private bool HasMore => !_isInputDone || _pending > 0;

    /// <summary>Something has changed for it: it goes on when its turn comes.</summary>
    public void Wake()
    {
        if (!_isAwake && shim.IsRunning)
        {
            _isAwake = true;
            loop.After(loop.Between(0.001, _plan.PauseMax), machine, Act);
        }
    }

    public void Begin()
    {
        if (stage.Before is null)
        {
            InputDone();
        }

        Wake();
    }

    private void Act()
    {
        _isAwake = false;
        if (!shim.IsRunning)
        {
            return;
        }

        bool isMoving = Read();
        if (_pending > 0 && shim.IsOutputClosed && (_isInputDone || !_plan.Sorts))
        {
            shim.Exit(PipeStage.BrokenPipe);
            return;
        }

        isMoving |= Write();
        if (_plan.FailsAt <= stage.Read + stage.Written)
        {
            shim.Exit(1);
        }
        else if (!HasMore)
        {
            shim.Exit(_plan.Code);
        }
        else if (isMoving)
        {
            Wake();
        }
    }

    private bool Read()
    {
        if (_isInputDone)
        {
            return false;
        }

        long wanted = Math.Min(_plan.StepBytes, (_plan.TakesOnly ?? long.MaxValue) - stage.Read);
        wanted = _plan.Sorts || _plan.Counts ? wanted : Math.Min(wanted, (2L * _plan.StepBytes) - _pending);
        int read = shim.Take((int)wanted);
        _pending += _plan.Counts ? 0 : read;
        if (_plan.TakesOnly == stage.Read)
        {
            shim.CloseInput();
            InputDone();
        }
        else if (read == 0 && wanted > 0 && shim.IsInputAtEnd)
        {
            stage.SeesEnd();
            InputDone();
            return true;
        }

        return read > 0;
    }

    private bool Write()
    {
        if (_pending == 0 || (_plan.Sorts && !_isInputDone))
        {
            return false;
        }

        int count = (int)Math.Min(Math.Min(_plan.StepBytes, _pending), shim.Room);
        if (count > 0)
        {
            shim.Write(count);
            _pending -= count;
        }

        return count > 0;
    }

    private void InputDone()
    {
        _isInputDone = true;
        _pending += _plan.Makes;
    }
}
