"""What comes next, how sure that is, and when a limit will be crossed."""

from metrics.forecasting.breach import Breach, Side, time_to_breach
from metrics.forecasting.fitting import fit_forecast
from metrics.forecasting.forecast import Forecast, Prediction
from metrics.forecasting.steering import Steering

__all__ = ["Breach", "Forecast", "Prediction", "Side", "Steering", "fit_forecast", "time_to_breach"]
